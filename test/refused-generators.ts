import { expect } from 'vitest';
import { expectRefusal, type Refusal, type Server, writeOverflowingGenerator } from './servers.ts';

/** Expects a server to refuse, with one line each, a generator that is damaged and one that cannot render. */
export async function expectGeneratorsRefused(
  start: (folder: string) => Promise<Server | Refusal>,
  damaged: string,
): Promise<void> {
  const overflowing = await writeOverflowingGenerator();
  const refusals = await Promise.all(
    [damaged, overflowing.folder].map(async (folder) => expectRefusal(await start(folder))),
  ).finally(overflowing.remove);
  expect(refusals).toEqual([
    { status: 1, output: expect.stringMatching(/^error: weights-0\.bin is damaged .*\n$/) },
    { status: 1, output: expect.stringMatching(/^error: the generator cannot render .*\n$/) },
  ]);
}
