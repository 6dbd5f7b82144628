/**
 * Convolutions of other programs by our layers.
 *
 * @module
 */
import { product } from './layers.ts';
import type { NetworkBuilder, Output } from './network-builder.ts';
import type { Padding2D, Pair } from './served-layers.ts';

/** A convolution as others describe it. */
export interface Convolution {
  filters: number;
  /** Height, width. */
  kernelSize: Pair;
  strides: Pair;
  dilation: Pair;
  groups: number;
  /** Zeros around the input; of a transposed convolution what is omitted of its output. */
  border: Padding2D;
  /** `[height, width, channelsIn / groups, filters]`; transposed `[height, width, filters / groups, channelsIn]` */
  kernel: Float32Array;
  bias: Float32Array | undefined;
}

/** TensorFlow's `same`: what is missing, the larger half after. */
export function samePadding(length: number, kernel: number, stride: number): Pair {
  const missing = Math.max(0, (Math.ceil(length / stride) - 1) * stride + kernel - length);
  return [Math.floor(missing / 2), Math.ceil(missing / 2)];
}

/** @throws Error when the image is smaller than the kernel. */
export function addConvolution(builder: NetworkBuilder, x: Output, given: Convolution): Output {
  const channels = x.shape.at(-1)!;
  const { kernel, kernelSize } = whole(given, [channels / given.groups, given.filters], channels);
  const { filters, strides, border, bias } = given;
  const values = { kernel, bias };
  const [height = 1, width = 1] = x.shape;
  const same =
    square(kernelSize) &&
    square(strides) &&
    samePadding(height, kernelSize[0], strides[0]).join() === border[0].join() &&
    samePadding(width, kernelSize[1], strides[1]).join() === border[1].join();
  if (same) {
    const layer = {
      type: 'conv2d',
      filters,
      kernelSize: kernelSize[0],
      strides: strides[0],
    } as const;
    return builder.add(layer, x, values);
  }
  return builder.add(
    { type: 'paddedConv2d', filters, kernelSize, strides, padding: border },
    x,
    values,
  );
}

/** A transposed convolution; of a single pixel it is a Dense layer. */
export function addTransposed(builder: NetworkBuilder, x: Output, given: Convolution): Output {
  const channels = x.shape.at(-1)!;
  const { kernel, kernelSize } = whole(given, [given.filters / given.groups, channels], channels);
  const { filters, strides, border, bias } = given;
  if (x.shape.length === 3 && x.shape[0] === 1 && x.shape[1] === 1) {
    return addAsDense(builder, x, { ...given, kernel, kernelSize });
  }
  const crop = ([0, 1] as const).map((axis) =>
    halves(Math.max(0, kernelSize[axis] - strides[axis])),
  );
  const same =
    square(kernelSize) &&
    square(strides) &&
    strides[0] <= kernelSize[0] &&
    crop.join() === border.join();
  const values = { kernel, bias };
  if (same) {
    const layer = { filters, kernelSize: kernelSize[0], strides: strides[0] };
    return builder.add({ type: 'conv2dTranspose', ...layer }, x, values);
  }
  return builder.add(
    { type: 'croppedConv2dTranspose', filters, kernelSize, strides, cropping: border },
    x,
    values,
  );
}

/** Output (i, j) of a single pixel is that of tap (i + top, j + left). */
function addAsDense(
  builder: NetworkBuilder,
  x: Output,
  { kernel, kernelSize, filters, border, bias }: Convolution,
): Output {
  const [rows, columns] = kernelSize;
  const [[top, bottom], [left, right]] = border;
  const [height, width] = [rows - top - bottom, columns - left - right];
  const channels = x.shape[2]!;
  const units = height * width * filters;
  const dense = new Float32Array(channels * units);
  const biases = new Float32Array(units);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      for (let f = 0; f < filters; f++) {
        const unit = (i * width + j) * filters + f;
        biases[unit] = bias?.[f] ?? 0;
        // Beyond the kernel there is nothing but the bias.
        if (i + top >= rows || j + left >= columns) continue;
        const tap = ((i + top) * columns + j + left) * filters + f;
        for (let c = 0; c < channels; c++) dense[c * units + unit] = kernel[tap * channels + c]!;
      }
    }
  }
  const flat = builder.reshape(x, [channels]);
  const made = builder.add({ type: 'dense', units }, flat, { kernel: dense, bias: biases });
  return builder.reshape(made, [height, width, filters]);
}

const square = ([a, b]: Pair) => a === b;

const halves = (size: number): Pair => [Math.floor(size / 2), Math.ceil(size / 2)];

/** The kernel with the gaps of its dilation, and the zeros between its groups, in it. */
function whole(
  { kernel, kernelSize, dilation, groups, filters }: Convolution,
  [a, b]: Pair,
  channels: number,
): { kernel: Float32Array; kernelSize: Pair } {
  if (groups === 1 && product(dilation) === 1) return { kernel, kernelSize };
  const [rows, columns] = kernelSize;
  const size: Pair = [(rows - 1) * dilation[0] + 1, (columns - 1) * dilation[1] + 1];
  // One of the two axes counts through all groups already; the other is that of each group.
  const transposed = b === channels && a === filters / groups;
  const [wholeA, wholeB] = transposed ? [filters, channels] : [channels, filters];
  const expanded = new Float32Array(product(size) * wholeA * wholeB);
  for (let tap = 0; tap < rows * columns; tap++) {
    const row = Math.floor(tap / columns) * dilation[0];
    const column = (tap % columns) * dilation[1];
    for (let i = 0; i < a; i++) {
      for (let j = 0; j < b; j++) {
        const group = Math.floor(j / (b / groups));
        const to = ((row * size[1] + column) * wholeA + group * a + i) * wholeB + j;
        expanded[to] = kernel[(tap * a + i) * b + j]!;
      }
    }
  }
  return { kernel: expanded, kernelSize: size };
}
