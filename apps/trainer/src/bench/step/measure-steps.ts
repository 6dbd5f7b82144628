import { initializeGan } from '../../gan/gan.ts';
import { createIterations } from '../../train/iteration.ts';
import type { StepCase } from '../../verify/step-cases.ts';
import type { GpuClock, GpuUse } from './gpu-clock.ts';

/** One iteration, times in milliseconds. */
export interface IterationTimes {
  /** From the start of the iteration until its losses are on the host. */
  total: number;
  /** Of that inside WebGPU. */
  gpu: GpuUse | undefined;
  /** Until the losses are there, without calls of WebGPU. */
  wait: number;
}

export type StepTimes = IterationTimes[];

/** Iterations before those that count: shaders are compiled, buffers created. */
const WARM_UP = 4;

/** Trains from random weights; only iterations of the step's kind count. */
export async function measureSteps(
  { preset, dataset, every, includes, generatorSteps }: StepCase,
  options: {
    batch: number;
    iterations: number;
    replay: boolean;
    clock: GpuClock | undefined;
  },
): Promise<StepTimes> {
  const { batch, iterations, replay, clock } = options;
  const gan = initializeGan(preset, 0);
  gan.generator.steps = generatorSteps;
  const run = createIterations({ gan, preset, dataset, options: { seed: 0, batch, replay } });
  const times: StepTimes = [];
  for (let iteration = 0; times.length < iterations; iteration++) {
    clock?.start();
    const began = performance.now();
    const launched = run.launch(iteration);
    const ready = performance.now();
    const inLaunch = clock?.inside() ?? 0;
    await launched.readLosses();
    const ended = performance.now();
    const gpu = await clock?.stop();
    if (iteration < WARM_UP * every || !includes(iteration)) continue;
    const wait = ended - ready - ((gpu ? gpu.calls + gpu.submit : 0) - inLaunch);
    times.push({ total: ended - began, gpu, wait });
  }
  return times;
}
