// @module-tag slow
import { basename } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../engines/start.ts';
import { COMMITTED_TRACES, replayBound } from './check-engine.ts';
import { checkGradients, GRADIENT_BOUND } from './gradients.ts';
import { replayTrace } from './replay.ts';
import { readTrace } from './trace.ts';

beforeAll(async () => {
  await startEngine('wasm', () => undefined);
});

describe('the training step on wasm', () => {
  // Of `full` the second iteration is beyond what float32 can tell; see test/reference/README.md.
  it.each(COMMITTED_TRACES.map((folder) => [basename(folder), folder]))(
    'is that of real Keras: trace %s',
    async (_, folder) => {
      const trace = await readTrace(folder);
      const rows = await replayTrace(trace);
      // Each iteration compares three losses, and the weights after each part.
      const losses = rows.filter(({ quantity }) => quantity === 'loss');
      expect(losses).toHaveLength(3 * trace.iterations.length);
      expect(rows.filter((row) => !(row.difference <= replayBound(row)))).toEqual([]);
    },
    120_000,
  );

  it('would not pass for another learning rate', async () => {
    const trace = await readTrace(COMMITTED_TRACES[1]!);
    const rows = await replayTrace({ ...trace, adam: { ...trace.adam, learningRate: 3e-4 } });
    expect(rows.some((row) => row.difference > replayBound(row))).toBe(true);
  });
});

describe('the gradients on wasm', () => {
  it('are those of tfjs on the cpu, operation by operation', async () => {
    const rows = await checkGradients();
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ difference }) => !(difference <= GRADIENT_BOUND))).toEqual([]);
  });
});
