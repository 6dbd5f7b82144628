import { z } from 'zod';
import { addConvolution, addTransposed, samePadding } from '../../networks/geometry.ts';
import { product } from '../../networks/layers.ts';
import type { Output } from '../../networks/network-builder.ts';
import type { Padding2D, Pair } from '../../networks/served-layers.ts';
import {
  accept,
  channelsLast,
  image,
  kernelAndBias,
  pairSchema,
  parse,
  type Readers,
  type Reading,
  size,
  withActivation,
} from './reading.ts';

const convolutionSchema = z.looseObject({
  filters: size.optional(),
  kernel_size: pairSchema,
  strides: pairSchema.default([1, 1]),
  padding: z.enum(['same', 'valid']).default('valid'),
  data_format: z.string().nullish(),
  dilation_rate: pairSchema.default([1, 1]),
  depth_multiplier: size.default(1),
  groups: size.default(1),
  activation: z.unknown().optional(),
  use_bias: z.boolean().default(true),
  output_padding: pairSchema.nullish(),
});

export const CONVOLUTION_READERS: Readers = {
  Conv2D: {
    variables: kernelAndBias,
    read(config, reading) {
      const given = parse(convolutionSchema, config);
      const { kernelSize, strides, dilation, border, after, bias } = convolution(given, reading);
      const filters = given.filters ?? 0;
      const channels = reading.inputs[0]!.shape.at(-1)! / given.groups;
      const kernel = reading.take('kernel', [...kernelSize, channels, filters]);
      const geometry = { filters, kernelSize, strides, dilation, groups: given.groups, border };
      const made = addConvolution(reading.builder, image(reading), {
        ...{ ...geometry, kernel, bias: bias(filters) },
      });
      return withActivation(reading, made, after);
    },
  },
  Conv2DTranspose: {
    variables: kernelAndBias,
    read(config, reading) {
      const given = parse(convolutionSchema, config);
      const { kernelSize, strides, dilation, after, bias } = convolution(given, reading);
      const filters = given.filters ?? 0;
      accept(given.groups === 1, `groups ${given.groups}`);
      const channels = reading.inputs[0]!.shape.at(-1)!;
      const kernel = reading.take('kernel', [...kernelSize, filters, channels]);
      const reach = ([0, 1] as const).map((i) => (kernelSize[i] - 1) * dilation[i] + 1);
      const border = ([0, 1] as const).map((i) =>
        cropping({
          ...{ kernel: reach[i]!, stride: strides[i], same: given.padding === 'same' },
          extra: given.output_padding?.[i],
        }),
      ) as unknown as Padding2D;
      const geometry = { filters, kernelSize, strides, dilation, groups: 1, border };
      const made = addTransposed(reading.builder, image(reading), {
        ...{ ...geometry, kernel, bias: bias(filters) },
      });
      return withActivation(reading, made, after);
    },
  },
  DepthwiseConv2D: {
    variables: (config) => [
      { name: 'depthwise_kernel', trainable: true },
      ...kernelAndBias(config).slice(1),
    ],
    read(config, reading) {
      const given = parse(convolutionSchema, config);
      const { after, bias } = convolution(given, reading);
      const made = depthwise(given, reading, bias);
      return withActivation(reading, made, after);
    },
  },
  SeparableConv2D: {
    variables: (config) => [
      { name: 'depthwise_kernel', trainable: true },
      { name: 'pointwise_kernel', trainable: true },
      ...kernelAndBias(config).slice(1),
    ],
    read(config, reading) {
      const given = parse(convolutionSchema, config);
      const { after, bias } = convolution(given, reading);
      const filters = given.filters ?? 0;
      const spread = depthwise(given, reading, () => undefined);
      const kernel = reading.take('pointwise_kernel', [1, 1, spread.shape[2]!, filters]);
      const layer = { type: 'conv2d', filters, kernelSize: 1, strides: 1 } as const;
      const made = reading.builder.add(layer, spread, { kernel, bias: bias(filters) });
      return withActivation(reading, made, after);
    },
  },
};

function convolution(given: z.output<typeof convolutionSchema>, reading: Reading) {
  channelsLast(given.data_format);
  const { kernel_size: kernelSize, strides, dilation_rate: dilation, use_bias } = given;
  const [height, width] = image(reading).shape as [number, number];
  const border = ([height, width] as const).map((length, i) => {
    const reach = (kernelSize[i]! - 1) * dilation[i]! + 1;
    return given.padding === 'same' ? samePadding(length, reach, strides[i]!) : ([0, 0] as const);
  }) as unknown as Padding2D;
  const bias = (filters: number) => (use_bias ? reading.take('bias', [filters]) : undefined);
  return { kernelSize, strides, dilation, border, after: given.activation, bias };
}

function depthwise(
  given: z.output<typeof convolutionSchema>,
  reading: Reading,
  bias: (channels: number) => Float32Array | undefined,
): Output {
  const { kernelSize, strides, dilation, border } = convolution(given, reading);
  const x = image(reading);
  const channels = x.shape[2]!;
  const { depth_multiplier: multiplier } = given;
  const kernel = reading.take('depthwise_kernel', [...kernelSize, channels, multiplier]);
  if (multiplier === 1 && product(dilation) === 1) {
    const layer = { type: 'depthwiseConv2d', kernelSize, strides, padding: border } as const;
    return reading.builder.add(layer, x, { kernel, bias: bias(channels) });
  }
  // Each channel is a group with `multiplier` outputs: [rows, columns, 1, channels · multiplier].
  const filters = channels * multiplier;
  return addConvolution(reading.builder, x, {
    ...{ filters, kernelSize, strides, dilation, border, kernel },
    ...{ groups: channels, bias: bias(filters) },
  });
}

/** What Keras crops from a transposed convolution: of (n − 1) · stride + kernel, before and after. */
function cropping({
  kernel,
  stride,
  same: isSame,
  extra,
}: {
  kernel: number;
  stride: number;
  same: boolean;
  extra: number | undefined;
}): Pair {
  if (extra !== undefined) {
    // TensorFlow's `same` puts the smaller half before.
    const whole = (isSame ? 2 * Math.floor(kernel / 2) : 0) - extra;
    const before = Math.floor(Math.max(0, whole) / 2);
    return [before, whole - before];
  }
  // n · stride, or that and what the kernel is longer than its stride.
  if (!isSame) return [0, Math.min(0, kernel - stride)];
  const before = Math.floor(Math.max(0, kernel - stride) / 2);
  return [before, kernel - stride - before];
}
