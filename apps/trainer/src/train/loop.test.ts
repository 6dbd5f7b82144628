import { describe, expect, it } from 'vitest';
import type { IterationMetrics } from '../run/metrics.ts';
import type { LaunchedIteration } from './iteration.ts';
import { type Hook, trainLoop } from './loop.ts';
import { createLossQueue } from './losses.ts';

/** Runs the loop; its events, in their order: `launch 3`, `loss 3`, `save 4`. */
async function events({
  start = 0,
  iterations,
  lag = 1,
  stopAt = Number.POSITIVE_INFINITY,
  stopAfter = 'nothing',
  before = [],
  after = [],
}: {
  start?: number;
  iterations: number;
  lag?: number;
  stopAt?: number;
  stopAfter?: string;
  before?: [name: string, every: number][];
  after?: [name: string, every: number][];
}): Promise<string[]> {
  const happened: string[] = [];
  const hook = ([name, every]: [string, number]): Hook => ({
    isDue: (done) => done % every === 0,
    run: async (done) => {
      happened.push(`${name} ${done}`);
    },
  });
  let reached = start;
  const done = await trainLoop({
    start,
    iterations,
    launch(iteration): LaunchedIteration {
      happened.push(`launch ${iteration}`);
      reached = iteration + 1;
      return { iteration, readLosses: async () => ({ realLoss: iteration / 4 }) };
    },
    losses: createLossQueue({
      lag: () => lag,
      record: async (iteration, { seconds: _, ...losses }: IterationMetrics) => {
        happened.push(`loss ${iteration} ${JSON.stringify(losses)}`);
      },
    }),
    before: before.map(hook),
    after: after.map(hook),
    shouldStop: () => reached >= stopAt || happened.includes(stopAfter),
  });
  happened.push(`done ${done}`);
  return happened;
}

describe('trainLoop', () => {
  it('reads the losses of an iteration when the next one has been launched', async () => {
    expect(await events({ iterations: 3 })).toEqual([
      'launch 0',
      'launch 1',
      'loss 0 {"realLoss":0}',
      'launch 2',
      'loss 1 {"realLoss":0.25}',
      'loss 2 {"realLoss":0.5}',
      'done 3',
    ]);
  });

  it('reads losses several iterations later where the engine asks for it, all of them and in order', async () => {
    const happened = await events({ iterations: 5, lag: 2 });
    expect(happened.map((event) => event.split(' {')[0])).toEqual([
      ...['launch 0', 'launch 1', 'launch 2', 'loss 0', 'launch 3', 'loss 1'],
      ...['launch 4', 'loss 2', 'loss 3', 'loss 4', 'done 5'],
    ]);
  });

  it('runs hooks when all losses before them are read: some before a step, some after it', async () => {
    const happened = await events({
      iterations: 4,
      before: [['sample', 2]],
      after: [['save', 2]],
    });
    expect(happened.map((event) => event.split(' {')[0])).toEqual([
      ...['sample 0', 'launch 0', 'launch 1', 'loss 0', 'loss 1', 'save 2'],
      ...['sample 2', 'launch 2', 'launch 3', 'loss 2', 'loss 3', 'save 4', 'sample 4', 'done 4'],
    ]);
  });

  it('when it stops keeps what it has, and looks at nothing more', async () => {
    const happened = await events({
      start: 6,
      iterations: 100,
      stopAt: 8,
      before: [['sample', 8]],
      after: [['whiten', 8]],
    });
    expect(happened.map((event) => event.split(' {')[0])).toEqual([
      ...['launch 6', 'launch 7', 'loss 6', 'loss 7', 'whiten 8', 'done 8'],
    ]);
  });

  it('takes no step and runs no other hook when it is stopped during a hook before the step', async () => {
    const happened = await events({
      iterations: 4,
      stopAfter: 'map 2',
      before: [
        ['map', 2],
        ['sample', 2],
      ],
      after: [['save', 2]],
    });
    expect(happened.map((event) => event.split(' {')[0])).toEqual([
      ...['map 0', 'sample 0', 'launch 0', 'launch 1', 'loss 0', 'loss 1', 'save 2'],
      ...['map 2', 'done 2'],
    ]);
  });
});
