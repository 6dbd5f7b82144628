import type { IterationMetrics } from '../run/metrics.ts';
import type { LaunchedIteration } from './iteration.ts';

/**
 * Losses on their way from the device to the log. Reading them waits for their step, so they are read some
 * iterations later: always in order, and none is lost.
 */
export interface LossQueue {
  /** Adds an iteration, and reads the oldest while more than the engine's lag wait. */
  push(launched: LaunchedIteration): Promise<void>;
  /** Reads all that wait, then runs `task`, whose time no iteration is charged with. */
  pause(task: () => Promise<void>): Promise<void>;
  /** Reads all that wait. */
  drain(): Promise<void>;
}

/**
 * @param options.lag says how many iterations may wait while the device works on.
 * @param options.record gets the losses of every iteration, in order, and the seconds since those before.
 */
export function createLossQueue({
  lag,
  record,
}: {
  lag: () => number;
  record: (iteration: number, metrics: IterationMetrics) => Promise<void>;
}): LossQueue {
  const waiting: LaunchedIteration[] = [];
  let recordedAt = performance.now();
  const readDownTo = async (count: number) => {
    while (waiting.length > count) {
      const { iteration, readLosses } = waiting.shift()!;
      const losses = await readLosses();
      const seconds = (performance.now() - recordedAt) / 1000;
      await record(iteration, { ...losses, seconds });
      recordedAt = performance.now();
    }
  };
  return {
    async push(launched) {
      waiting.push(launched);
      await readDownTo(lag());
    },
    async pause(task) {
      await readDownTo(0);
      await task();
      recordedAt = performance.now();
    },
    drain: () => readDownTo(0),
  };
}
