import { drawBatch } from '@killme/data';
import { diffAugment, dropoutMask, presetByName } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { copyWeights, initializeNetwork, updateAverage } from '../network-state.ts';
import { type Gan, trainStep } from '../step.ts';
import { benchDataset, benchRandom, type Iterate } from './iterate.ts';

/** The trainer's iteration (see train.ts) without its log and files. */
export function prepareOurs(presetName: string, batch: number): Iterate {
  const preset = presetByName(presetName);
  const { latent, imageSize, training } = preset;
  const generator = initializeNetwork(preset.generator, 'bench/generator');
  const gan: Gan = {
    generator,
    discriminator: initializeNetwork(preset.discriminator, 'bench/discriminator'),
    average: training.averageDecay > 0 ? copyWeights(generator) : undefined,
  };
  const dataset = benchDataset(imageSize);
  const half = batch / 2;
  const drawLatents = (count: number) =>
    tf.tensor2d(benchRandom().uniform(count * latent.size), [count, latent.size]);

  return async () => {
    const { images } = drawBatch({ dataset, batchSize: half, random: benchRandom() });
    const tensors = {
      realImages: tf.tensor4d(images, [half, imageSize, imageSize, 3]),
      discriminatorLatents: drawLatents(half),
      generatorLatents: drawLatents(batch),
    };
    const inputs = {
      ...tensors,
      dropoutMasks: (part: string, layer: string, shape: readonly number[], rate: number) =>
        dropoutMask(shape, rate, `bench/${gan.generator.steps}/${part}/${layer}`),
      augment: training.augment
        ? (seen: tf.Tensor4D, part: string) =>
            diffAugment(seen, `bench/${gan.generator.steps}/${part}`)
        : undefined,
    };
    const losses = Object.values<tf.Scalar>({ ...trainStep(gan, inputs, training) });
    if (gan.average) updateAverage(gan.average, gan.generator, training.averageDecay);
    const read: number[] = [];
    for (const loss of losses) read.push((await loss.data<'float32'>())[0]!);
    tf.dispose([...Object.values(tensors), ...losses]);
    return read;
  };
}
