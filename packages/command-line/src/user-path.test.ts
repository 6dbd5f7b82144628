import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { userPath } from './user-path.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

/** Without what the npm that runs the tests has left. */
const { INIT_CWD, TURBO_INVOCATION_DIR, ...env } = process.env;

async function icons(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'killme-here-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'icons'));
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9"/></svg>';
  for (const name of ['1.svg', '2.svg']) await writeFile(join(folder, 'icons', name), svg);
  return folder;
}

describe('a relative path starts where the person stands', () => {
  it('in a folder of the repository', async () => {
    const docs = join(ROOT, 'docs');
    const path = relative(docs, join(await icons(), 'icons'));
    const { stdout } = await run('npm', ['run', 'data', '--', 'inspect', path], { cwd: docs, env });
    expect(stdout).toContain('icons: 2 images');
  });

  it('elsewhere, with npm --prefix', async () => {
    const cwd = await icons();
    const args = ['--prefix', ROOT, 'run', 'data', '--', 'inspect', 'icons'];
    const { stdout } = await run('npm', args, { cwd, env });
    expect(stdout).toContain('icons: 2 images');
  });

  it('where turbo was called, which starts an npm of its own in the package', () => {
    vi.stubEnv('INIT_CWD', '/killme/apps/trainer');
    expect(userPath('icons')).toBe('/killme/apps/trainer/icons');
    vi.stubEnv('TURBO_INVOCATION_DIR', '/home/alice');
    expect(userPath('icons')).toBe('/home/alice/icons');
    expect(userPath('/icons')).toBe('/icons');
    vi.unstubAllEnvs();
  });

  it('in the workspace, without npm', async () => {
    const cwd = await icons();
    const program = join(ROOT, 'packages/data/src/cli.ts');
    const { stdout } = await run(process.execPath, [program, 'inspect', 'icons'], { cwd, env });
    expect(stdout).toContain('icons: 2 images');
  });
});
