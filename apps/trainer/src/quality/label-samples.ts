import { loadDataset } from '@killme/data';
import { seedToLatent, UserError } from '@killme/model';
import type { LabelledLatents } from '../export/directions.ts';
import { classify, datasetClassifier } from './classifier.ts';
import { splitReal } from './image-set.ts';
import { checkSquareRgb, renderSeeds, type TrainedGenerator } from './made-images.ts';

/**
 * Samples of a generator with the classes that a classifier of its training data takes them for, on
 * whatever engine is current.
 * @param options.data as `--data` of training; without it the stand-in characters.
 * @param options.count samples: those of the seeds 0 … count − 1.
 * @throws UserError when the data have no classes, or the generator does not render square RGB images.
 */
export async function labelSamples(
  generator: Omit<TrainedGenerator, 'description'>,
  { data, count, log }: { data: string | undefined; count: number; log: (line: string) => void },
): Promise<LabelledLatents> {
  checkSquareRgb(generator.network, 'the generator');
  const imageSize = generator.network.outputShape[0]!;
  const dataset = await loadDataset({ path: data, imageSize, log });
  if (dataset.classes.length < 2) {
    throw new UserError(`${dataset.name} has no classes: its images must lie in class folders`);
  }
  const seed = 0;
  const halves = splitReal(dataset.count, seed);
  const classifier = await datasetClassifier({ dataset, halves, seed, log });
  log(`the classifier is right for ${percent(classifier.heldOutAccuracy)} of held-out images`);
  const { labels } = await classify(classifier, await renderSeeds(generator, count));
  const { classes } = classifier;
  const shares = classes.map((name, label) => {
    const members = labels.filter((one) => one === label).length;
    return `${name} ${percent(members / count)}`;
  });
  log(`of ${count} samples it takes for ${shares.join(', ')}`);
  const latents = Array.from({ length: count }, (_, i) =>
    seedToLatent(String(i), generator.latent),
  );
  return { latents, labels, classes };
}

const percent = (share: number) => `${Math.round(100 * share)} %`;
