/**
 * What ours is measured against: the article's script, line by line, on the layers of tfjs.
 *
 * @module
 */
import { sampleBatch } from '@killme/data';
import * as tf from '@tensorflow/tfjs';
import { noiseDataset } from '../verify/noise-dataset.ts';
import { benchRandom, type Iterate } from './iterate.ts';
import { buildPlainGan, LATENT_SIZE, type PlainGan } from './plain-networks.ts';

/** The body of the article's training loop; the models take the initial weights that tfjs gives. */
export function preparePlain(batch: number, gan: PlainGan = buildPlainGan()): Iterate {
  const { generator, discriminator, combined } = gan;
  const imageSize = generator.outputShape[1] as number;
  const dataset = noiseDataset(imageSize);
  const half = batch / 2;

  return async () => {
    const { images } = sampleBatch({ dataset, batchSize: half, random: benchRandom() });
    const real = tf.tensor4d(images, [half, imageSize, imageSize, 3]);
    const [noise, noises] = [half, batch].map((n) => tf.randomUniform([n, LATENT_SIZE], -1, 1));
    const [ones, zeros, allOnes] = [tf.ones([half, 1]), tf.zeros([half, 1]), tf.ones([batch, 1])];

    const fake = generator.predict(noise!) as tf.Tensor;
    const realLoss = await discriminator.trainOnBatch(real, ones);
    const fakeLoss = await discriminator.trainOnBatch(fake, zeros);
    const generatorLoss = await combined.trainOnBatch(noises!, allOnes);

    tf.dispose([real, noise!, noises!, ones, zeros, allOnes, fake]);
    return [realLoss, fakeLoss, generatorLoss].flat();
  };
}
