import { presetByName } from '@killme/model';
import { copyWeights } from '../average.ts';
import { launchIteration, readLosses } from '../iteration.ts';
import { initializeNetwork } from '../network-state.ts';
import type { Gan } from '../step.ts';
import { benchDataset, type Iterate } from './iterate.ts';

/** The trainer's iteration (see train.ts) without its log and files. */
export function prepareOurs(presetName: string, batch: number): Iterate {
  const preset = presetByName(presetName);
  const generator = initializeNetwork(preset.generator, 'bench/generator');
  const gan: Gan = {
    generator,
    discriminator: initializeNetwork(preset.discriminator, 'bench/discriminator'),
    average: preset.training.methods?.averageDecay ? copyWeights(generator) : undefined,
  };
  const dataset = benchDataset(preset.imageSize);
  const options = { seed: 0, batch };
  let iteration = 0;
  return async () => {
    const launched = launchIteration({ gan, preset, dataset, options, iteration });
    iteration++;
    return Object.values(await readLosses(launched));
  };
}
