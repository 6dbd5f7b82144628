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
  /** They look at the GAN and do not change it: before a step, and at the end. Skipped when it stops. */
  watchers: readonly Hook[];
  /** They change the GAN or save it: after a step, also after the last one before it stops. */
  keepers: readonly Hook[];
  /** Asked before each iteration. */
  shouldStop: () => boolean;
}

/**
 * Trains from `start` to `iterations`, or until `shouldStop`.
 * @returns the number of iterations done.
 */
export async function trainLoop(options: LoopOptions): Promise<number> {
  const { start, iterations, launch, losses, watchers, keepers, shouldStop } = options;
  const runDue = async (hooks: readonly Hook[], done: number) => {
    const due = hooks.filter((hook) => hook.isDue(done));
    if (due.length === 0) return;
    await losses.pause(async () => {
      for (const hook of due) await hook.run(done);
    });
  };

  let done = start;
  while (done < iterations && !shouldStop()) {
    await runDue(watchers, done);
    await losses.push(launch(done));
    done++;
    await runDue(keepers, done);
  }
  if (done === iterations) await runDue(watchers, done);
  await losses.drain();
  return done;
}
