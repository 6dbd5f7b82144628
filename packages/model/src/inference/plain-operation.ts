/**
 * Layers that become one operation each, as nothing of another layer goes into it.
 *
 * @module
 */
import { decodeWeight, type HostWeights } from '../generator-file/weights.ts';
import { product } from '../networks/layers.ts';
import type { PlacedLayer } from '../networks/network.ts';
import { COMBINATIONS } from '../networks/served-layers.ts';
import { sidesOf } from './convolution-geometry.ts';
import { type Affine, awayFromZero, weightOf } from './fold.ts';
import type { ImageShape, Op } from './graph.ts';

/** @throws Error when no operation does what the layer does. */
export function plainOperation(placed: PlacedLayer, weights: HostWeights): Op {
  const { layer, inputShape, outputShape } = placed;
  const read = (name: string) => decodeWeight(weightOf(weights, `${placed.name}/${name}`));
  switch (layer.type) {
    case 'depthwiseConv2d': {
      const { strides, padding } = layer;
      const kernelShape = [...layer.kernelSize, inputShape.at(-1)!, 1] as const;
      const numbers = { kernel: read('kernel'), kernelShape, bias: read('bias') };
      return { type: 'depthwise', ...numbers, strides, border: sidesOf(padding) };
    }
    case 'zeroPadding2d':
      return { type: 'pad', border: sidesOf(layer.padding) };
    case 'cropping2d': {
      const { top, bottom, left, right } = sidesOf(layer.cropping);
      return { type: 'pad', border: { top: -top, bottom: -bottom, left: -left, right: -right } };
    }
    case 'resize': {
      const { method, coordinates } = layer;
      const shapes = { input: asImage(inputShape), output: asImage(outputShape) };
      return { type: 'resize', ...shapes, method, coordinates };
    }
    case 'permute':
      return { type: 'permute', axes: layer.axes, input: inputShape };
    case 'pRelu':
      return { ...layer, alpha: read('alpha'), shape: asImage(layer.shape) };
    case 'slice':
    case 'groupNormalization':
    case 'layerNormalization':
      return layer;
    case 'concatenate':
      return { type: 'concatenate' };
    default:
      break;
  }
  if (COMBINATIONS.some((type) => type === layer.type)) return { type: layer.type } as Op;
  throw unsupported(placed, `no inference step for ${layer.type}`);
}

/** What a normalization over parts of an image still has to do to each channel. */
export function affineAfter(
  { name, layer }: PlacedLayer,
  weights: HostWeights,
): Affine | undefined {
  if (layer.type !== 'groupNormalization' && layer.type !== 'layerNormalization') return undefined;
  const read = (weight: string) => decodeWeight(weightOf(weights, `${name}/${weight}`));
  return { scale: awayFromZero(read('gamma')), shift: read('beta') };
}

/** Flat numbers are one pixel, rows of channels one row. */
export function asImage(shape: readonly number[]): ImageShape {
  const image = [...Array.from({ length: Math.max(0, 3 - shape.length) }, () => 1), ...shape];
  const [height, width, channels] = image as [number, number, number];
  return image.length === 3 ? [height, width, channels] : [1, 1, product(shape)];
}

export function unsupported({ name }: PlacedLayer, reason: string): Error {
  return new Error(`the generator's layer ${name} cannot be served: ${reason}`);
}
