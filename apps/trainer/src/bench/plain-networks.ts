import * as tf from '@tensorflow/tfjs';

interface Size {
  /** Side in pixels; the article's 128. */
  imageSize?: number;
  /** Multiplies every channel count but the image's. */
  width?: number;
}

/** The article's models with the layers of tfjs, compiled as its script compiles them. */
export interface PlainGan {
  generator: tf.Sequential;
  discriminator: tf.Sequential;
  /** G, then D with its weights frozen. */
  combined: tf.LayersModel;
}

export const LATENT_SIZE = 100;

/** The article's `DCGAN.__init__`, written with the namesakes that tfjs has of Keras's classes. */
export function buildPlainGan(size: Size = {}): PlainGan {
  // One Adam each: tfjs's keeps its moments by the position of a variable in the list it is given.
  const adam = () => tf.train.adam(0.0002, 0.5);
  const loss = 'binaryCrossentropy';

  const discriminator = buildDiscriminator(size);
  discriminator.compile({ optimizer: adam(), loss, metrics: ['accuracy'] });

  const generator = buildGenerator(size);
  const z = tf.input({ shape: [LATENT_SIZE] });
  const image = generator.apply(z) as tf.SymbolicTensor;
  discriminator.trainable = false;
  const valid = discriminator.apply(image) as tf.SymbolicTensor;
  const combined = tf.model({ inputs: z, outputs: valid });
  combined.compile({ optimizer: adam(), loss });
  // `combined` has its list of weights to train, without D's. In tfjs, unlike in Keras 2, freezing
  // also reaches into the weights that D's own list holds: left so, D could not train.
  discriminator.trainable = true;
  return { generator, discriminator, combined };
}

function buildGenerator({ imageSize = 128, width = 1 }: Size): tf.Sequential {
  const side = imageSize / 4;
  const wide = 128 * width;
  const convolution = (filters: number) =>
    tf.layers.conv2d({ filters, kernelSize: 3, padding: 'same' });
  return tf.sequential({
    layers: [
      tf.layers.dense({
        units: side * side * wide,
        activation: 'relu',
        inputShape: [LATENT_SIZE],
      }),
      tf.layers.reshape({ targetShape: [side, side, wide] }),
      tf.layers.batchNormalization({ momentum: 0.8 }),
      tf.layers.upSampling2d({}),
      convolution(128 * width),
      tf.layers.activation({ activation: 'relu' }),
      tf.layers.batchNormalization({ momentum: 0.8 }),
      tf.layers.upSampling2d({}),
      convolution(64 * width),
      tf.layers.activation({ activation: 'relu' }),
      tf.layers.batchNormalization({ momentum: 0.8 }),
      convolution(3),
      tf.layers.activation({ activation: 'tanh' }),
    ],
  });
}

function buildDiscriminator({ imageSize = 128, width = 1 }: Size): tf.Sequential {
  const convolution = (filters: number, strides: number) =>
    ({ filters: filters * width, kernelSize: 3, strides, padding: 'same' }) as const;
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ ...convolution(32, 2), inputShape: [imageSize, imageSize, 3] }),
      tf.layers.leakyReLU({ alpha: 0.2 }),
      tf.layers.dropout({ rate: 0.25 }),
      tf.layers.conv2d(convolution(64, 2)),
      tf.layers.zeroPadding2d({
        padding: [
          [0, 1],
          [0, 1],
        ],
      }),
      tf.layers.leakyReLU({ alpha: 0.2 }),
      tf.layers.dropout({ rate: 0.25 }),
      tf.layers.batchNormalization({ momentum: 0.8 }),
      tf.layers.conv2d(convolution(128, 2)),
      tf.layers.leakyReLU({ alpha: 0.2 }),
      tf.layers.dropout({ rate: 0.25 }),
      tf.layers.batchNormalization({ momentum: 0.8 }),
      tf.layers.conv2d(convolution(256, 1)),
      tf.layers.leakyReLU({ alpha: 0.2 }),
      tf.layers.dropout({ rate: 0.25 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 1, activation: 'sigmoid' }),
    ],
  });
}
