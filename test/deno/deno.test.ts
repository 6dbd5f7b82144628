import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { describeContract, optionsOf } from '../contract.ts';
import { expectWorkToStop } from '../leaving.ts';
import { expectRefusal, expectServer, startDeno, writeRandomGenerator } from '../servers.ts';

describeContract({
  name: 'Deno',
  async start(served) {
    const { origin, stop } = expectServer(await startDeno(...optionsOf(served)));
    return { fetch: (path, init) => fetch(origin + path, init), stop };
  },
});

it('Deno refuses a damaged generator, and a port in use, with one line', async () => {
  const { folder, remove } = await writeRandomGenerator();
  const server = expectServer(await startDeno(folder));
  try {
    const second = await expectRefusal(
      await startDeno(folder, Number(new URL(server.origin).port)),
    );
    expect(second).toMatchObject({
      status: 1,
      output: expect.stringMatching(/^.*port.* is in use: .*\n$/),
    });
  } finally {
    await server.stop();
  }
  const shard = `${folder}/weights-0.bin`;
  const bytes = await readFile(shard);
  bytes[1000]! ^= 1;
  await writeFile(shard, bytes);
  const refusal = await expectRefusal(await startDeno(folder));
  await remove();
  expect(refusal.status).toBe(1);
  expect(refusal.output).toMatch(/^weights-0\.bin is damaged .*\n$/);
}, 120_000);

it('Deno draws no more for a client that has left', async () => {
  const { folder, remove } = await writeRandomGenerator();
  const server = expectServer(await startDeno(folder));
  try {
    await expectWorkToStop(server.origin);
  } finally {
    await server.stop();
    await remove();
  }
}, 120_000);
