import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { describeContract, optionsOf } from '../contract.ts';
import { expectWorkToStop } from '../disconnect.ts';
import { expectRefusal, expectServer, startDeno, writeRandomGenerator } from '../servers.ts';

describeContract({
  name: 'Deno',
  async start(served) {
    const { origin, stop } = expectServer(await startDeno(...optionsOf(served)));
    return { fetch: (path, init) => fetch(origin + path, init), stop };
  },
});

it('Deno refuses a damaged generator, one that has changed, and a port in use, with one line', async () => {
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
  const refusal = await expectRefusal(await startDeno(folder));
  await remove();
  expect(refusal.status).toBe(1);
  expect(refusal.output).toMatch(/^weights-0\.bin is damaged .*\n$/);
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
