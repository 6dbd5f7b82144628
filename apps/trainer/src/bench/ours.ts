import { presetByName } from '@killme/model/training';
import type { Gan } from '../gan/article-step.ts';
import { copyWeights } from '../gan/ema.ts';
import { initializeNetwork } from '../gan/network-state.ts';
import { createIterations } from '../train/iteration.ts';
import { benchDataset, type Iterate } from './iterate.ts';

/** The trainer's iteration (see train.ts) without its log and files. */
export function prepareOurs(presetName: string, batch: number): Iterate {
  const preset = presetByName(presetName);
  const generator = initializeNetwork(preset.generator, 'bench/generator');
  const gan: Gan = {
    generator,
    discriminator: initializeNetwork(preset.discriminator, 'bench/discriminator'),
    ema: preset.training.methods?.emaDecay ? copyWeights(generator) : undefined,
  };
  const dataset = benchDataset(preset.imageSize);
  const iterations = createIterations({ gan, preset, dataset, options: { seed: 0, batch } });
  let iteration = 0;
  return async () => Object.values(await iterations.launch(iteration++).readLosses());
}
