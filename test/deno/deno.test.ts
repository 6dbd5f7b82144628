import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { describeContract, optionsOf } from '../contract.ts';
import { expectWorkToStop } from '../disconnect.ts';
import { expectGeneratorsRefused } from '../refused-generators.ts';
import { expectRefusal, expectServer, startDeno, writeRandomGenerator } from '../servers.ts';

describeContract({
  name: 'Deno',
  async start(served) {
    const { origin, stop } = expectServer(await startDeno(...optionsOf(served)));
    return { fetch: (path, init) => fetch(origin + path, init), stop };
  },
});

it('Deno refuses a damaged generator, one that cannot render, one that has changed, and a port in use, with one line', async () => {
  const { folder, remove } = await writeRandomGenerator();
  const server = expectServer(await startDeno(folder));
  const shard = `${folder}/weights-0.bin`;
  const bytes = await readFile(shard);
  bytes[1000]! ^= 1;
  try {
    const second = await expectRefusal(
      await startDeno(folder, Number(new URL(server.origin).port)),
    );
    expect(second).toMatchObject({
      status: 1,
      output: expect.stringMatching(/^.*port.* is in use: .*\n$/),
    });
    // Another generator's weights are not sent under the name of the one that renders.
    expect((await fetch(`${server.origin}/generator/weights-0.bin`)).status).toBe(200);
    await writeFile(shard, bytes);
    const changed = await fetch(`${server.origin}/generator/weights-0.bin`);
    expect(await changed.json()).toMatchObject({
      status: 503,
      detail: expect.stringContaining('weights-0.bin has changed since the server was started'),
    });
  } finally {
    await server.stop();
  }
  await expectGeneratorsRefused(startDeno, folder).finally(remove);
}, 120_000);

it('Deno takes an IPv6 host and a run’s folder, refuses a Host that is none, and ends at SIGTERM', async () => {
  const run = await mkdtemp(`${tmpdir()}/killme-run-`);
  const { folder, remove } = await writeRandomGenerator({ imageSize: 32 });
  await rename(folder, `${run}/generator`);
  const server = expectServer(await startDeno(run, undefined, ['--host', '::1']));
  const { port } = new URL(server.origin);
  const statusFor = async (host: string) => {
    const socket = connect(Number(port), '::1');
    // Not ended: a client that ends its half first counts as disconnected.
    socket.write(
      `GET /img?seed=secret&metadata=none HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    const answer = Buffer.concat(await socket.toArray()).toString('latin1');
    expect(answer).not.toMatch(/secret|\n\s+at /);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)![1]);
  };
  try {
    expect((await fetch(`http://[::1]:${port}/img?seed=a`)).status).toBe(200);
    for (const host of ['a b', '[', 'a:99999']) expect(await statusFor(host), host).toBe(400);
    // Under another name of the server it is the same picture.
    expect(await statusFor('one.example')).toBe(200);
    expect(await statusFor('two.example')).toBe(200);
    const { pictures } = await (await fetch(`http://[::1]:${port}/healthz`)).json();
    expect(pictures.rendered).toBe(2);
    expect(await server.terminate()).toBe(0);
  } finally {
    await server.stop();
    await rename(`${run}/generator`, folder);
    await remove();
    await rm(run, { recursive: true });
  }
}, 120_000);

it('Deno renders no more for a client that has disconnected', async () => {
  const { folder, remove } = await writeRandomGenerator();
  const server = expectServer(await startDeno(folder));
  try {
    await expectWorkToStop(server.origin);
  } finally {
    await server.stop();
    await remove();
  }
}, 120_000);
