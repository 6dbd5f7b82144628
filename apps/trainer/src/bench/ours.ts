import { type PresetName, presetByName } from '@killme/model/training';
import { initializeGan } from '../gan/gan.ts';
import { createIterations } from '../train/iteration.ts';
import { noiseDataset } from '../verify/noise-dataset.ts';
import type { Iterate } from './iterate.ts';

/** The trainer's iteration (see train/loop.ts) without its log and files. */
export function prepareOurs(presetName: PresetName, batch: number): Iterate {
  const preset = presetByName(presetName);
  const gan = initializeGan(preset, 0);
  const dataset = noiseDataset(preset.imageSize);
  const iterations = createIterations({ gan, preset, dataset, options: { seed: 0, batch } });
  let iteration = 0;
  return async () => Object.values(await iterations.launch(iteration++).readLosses());
}
