/**
 * A generator as tfjs renders it when its layers are run as they stand: what ours is compared with.
 *
 * @module
 */
import {
  type Activation,
  decodeWeight,
  type HostWeights,
  type Network,
  type PlacedLayer,
} from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';

/** @returns a function of a latent that gives `[1, height, width, 3]`, on the current backend. */
export function plainGenerator(
  network: Network,
  weights: HostWeights,
): (latent: Float32Array) => tf.Tensor {
  const layers = network.layers.map((placed) => {
    const tensors = placed.weights.map(({ name, shape }) =>
      tf.tensor(decodeWeight(weights.get(name)!), [...shape]),
    );
    return (x: tf.Tensor) => applyLayer(placed, tensors, x);
  });
  return (latent) =>
    tf.tidy(() =>
      layers.reduce<tf.Tensor>((x, layer) => layer(x), tf.tensor2d(latent, [1, latent.length])),
    );
}

const ACTIVATIONS: Record<Activation, (x: tf.Tensor) => tf.Tensor> = {
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
};

function applyLayer({ layer }: PlacedLayer, tensors: tf.Tensor[], x: tf.Tensor): tf.Tensor {
  switch (layer.type) {
    case 'dense': {
      const [kernel, bias] = tensors as [tf.Tensor2D, tf.Tensor1D];
      const sums = tf.add(tf.matMul(x as tf.Tensor2D, kernel), bias);
      return layer.activation ? ACTIVATIONS[layer.activation](sums) : sums;
    }
    case 'reshape':
      return tf.reshape(x, [1, ...layer.shape]);
    case 'batchNormalization': {
      const [gamma, beta, mean, variance] = tensors as [
        tf.Tensor1D,
        tf.Tensor1D,
        tf.Tensor1D,
        tf.Tensor1D,
      ];
      return tf.batchNorm(x, mean, variance, beta, gamma, layer.epsilon);
    }
    case 'upSampling2d': {
      const [, height, width] = x.shape as [number, number, number, number];
      return tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * height, 2 * width]);
    }
    case 'conv2d': {
      const [kernel, bias] = tensors as [tf.Tensor4D, tf.Tensor1D];
      return tf.add(tf.conv2d(x as tf.Tensor4D, kernel, layer.strides, 'same'), bias);
    }
    case 'activation':
      return ACTIVATIONS[layer.activation](x);
    default:
      throw new Error(`neither the article's generator nor lite's has a layer ${layer.type}`);
  }
}
