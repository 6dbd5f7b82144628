import * as tf from '@tensorflow/tfjs-core';
import { registerReplay } from '../../engines/replay.ts';
import type { WebGPUBackend } from '../../engines/webgpu/program.ts';
import { countingReplay, type StepWork } from '../../engines/webgpu/replay/count-work.ts';
import { disposeGan, initializeGan } from '../../gan/gan.ts';
import { createIterations } from '../../train/iteration.ts';
import type { StepCase } from '../../verify/step-cases.ts';

/** What each step computes and moves on WebGPU; none is taken. The engine replays nothing afterwards. */
export function countSteps(
  cases: readonly StepCase[],
  batchOf: (step: StepCase) => number,
): Map<StepCase, StepWork> {
  const backend = tf.backend() as WebGPUBackend;
  const counted = new Map<StepCase, StepWork>();
  for (const step of cases) {
    const { preset, dataset, includes, generatorSteps } = step;
    registerReplay('webgpu', () => countingReplay(backend, (_, work) => counted.set(step, work)));
    const gan = initializeGan(preset, 0);
    gan.generator.steps = generatorSteps;
    gan.discriminator.steps = includes(0) ? 0 : 1; // whether the step is penalized
    const options = { seed: 0, batch: batchOf(step) };
    const iterations = createIterations({ gan, preset, dataset, options });
    iterations.launch(gan.discriminator.steps);
    iterations.dispose();
    disposeGan(gan);
  }
  return counted;
}
