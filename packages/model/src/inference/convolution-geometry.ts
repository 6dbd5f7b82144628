import type { PlacedLayer } from '../networks/network.ts';
import type { Pair } from '../networks/served-layers.ts';
import type { Sides } from '../networks/transposed.ts';
import type { ConvolutionOp } from './graph.ts';

const NO_BORDER: Sides = { top: 0, bottom: 0, left: 0, right: 0 };

/** Strides and border of a convolution, Keras's `same` worked out. */
export function geometryOf(
  { name, layer, inputShape, outputShape }: PlacedLayer,
  upsampled: boolean,
): Pick<ConvolutionOp, 'kind' | 'strides' | 'border'> {
  switch (layer.type) {
    case 'paddedConv2d':
      return { kind: 'plain', strides: layer.strides, border: sidesOf(layer.padding) };
    case 'croppedConv2dTranspose':
      return { kind: 'transposed', strides: layer.strides, border: sidesOf(layer.cropping) };
    case 'conv2d': {
      const { kernelSize: size, strides } = layer;
      if (upsampled) return { kind: 'upsampled', strides: [1, 1], border: NO_BORDER };
      // TensorFlow's `same`: what is missing, the larger half after.
      const [rows, columns] = ([0, 1] as const).map((axis) =>
        halves(Math.max(0, (outputShape[axis]! - 1) * strides + size - inputShape[axis]!)),
      );
      return { kind: 'plain', strides: [strides, strides], border: sidesOf([rows!, columns!]) };
    }
    case 'conv2dTranspose': {
      const { kernelSize: size, strides } = layer;
      const [before, after] = halves(Math.max(0, size - strides));
      const sides = [before, after] as const;
      return { kind: 'transposed', strides: [strides, strides], border: sidesOf([sides, sides]) };
    }
    default:
      throw new Error(`${name} is no convolution`);
  }
}

const halves = (whole: number): Pair => [Math.floor(whole / 2), Math.ceil(whole / 2)];

/** A padding or cropping by its four sides. */
export const sidesOf = ([[top, bottom], [left, right]]: readonly [Pair, Pair]): Sides => ({
  top,
  bottom,
  left,
  right,
});
