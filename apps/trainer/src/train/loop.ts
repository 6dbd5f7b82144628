import type { LaunchedIteration } from './iteration.ts';
import type { LossQueue } from './losses.ts';

/** Something to do now and then. It sees the GAN when `done` iterations are done and their losses are read. */
export interface Hook {
  /** Whether it is to run after so many iterations. */
  isDue: (done: number) => boolean;
  run: (done: number) => Promise<void>;
}

export interface LoopOptions {
  /** The iteration to begin with. */
  start: number;
  /** The iteration before which it ends. */
  iterations: number;
  /** Hands the step of an iteration to the engine. */
  launch: (iteration: number) => LaunchedIteration;
  losses: LossQueue;
  /** Run before a step, and at the end. Skipped when it stops. */
  before: readonly Hook[];
  /** Run after a step, also after the last one before it stops. */
  after: readonly Hook[];
  /** Asked before each iteration. */
  shouldStop: () => boolean;
}

/**
 * Trains from `start` to `iterations`, or until `shouldStop`.
 * @returns the number of iterations done.
 */
export async function trainLoop(options: LoopOptions): Promise<number> {
  const { start, iterations, launch, losses, before, after, shouldStop } = options;
  const runDue = async (hooks: readonly Hook[], done: number, skip = () => false) => {
    const due = hooks.filter((hook) => hook.isDue(done));
    if (due.length === 0) return;
    await losses.pause(async () => {
      for (const hook of due) if (!skip()) await hook.run(done);
    });
  };

  let done = start;
  while (done < iterations && !shouldStop()) {
    await runDue(before, done, shouldStop);
    if (shouldStop()) break;
    await losses.push(launch(done));
    done++;
    await runDue(after, done);
  }
  if (done === iterations) await runDue(before, done, shouldStop);
  await losses.drain();
  return done;
}
