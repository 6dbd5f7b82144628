/**
 * Keras layers as ours.
 *
 * Where a Keras layer is another way to say ours, it becomes ours: an activation inside a
 * convolution is a layer after it, a bias that is not there is zero.
 *
 * @module
 */
import { z } from 'zod';
import { addConvolution, addTransposed, samePadding } from '../networks/geometry.ts';
import { type Padding2D, product } from '../networks/layers.ts';
import type { NetworkBuilder, Output } from '../networks/network-builder.ts';
import type { Combination, Coordinates, Pair } from '../networks/served-layers.ts';
import { ACTIVATION_LAYERS, activationLayers, Refusal, UnknownKind } from './activations.ts';
import type { Dialect } from './keras-file.ts';
import type { KerasLayer } from './keras-graph.ts';

/** A variable that a file must have for a layer. */
export interface Variable {
  /** `kernel`, `bias`, `gamma`, … */
  name: string;
  trainable: boolean;
}

/** What a layer is read with. */
export interface Reading {
  builder: NetworkBuilder;
  dialect: Dialect;
  /** At least one. */
  inputs: readonly Output[];
  /** A variable of the layer. @throws UserError when it has another shape. */
  take(name: string, shape: readonly number[]): Float32Array;
}

type Config = KerasLayer['config'];

interface Reader {
  variables?: (config: Config) => Variable[];
  /** @throws Refusal saying what about the layer is not accepted. */
  read: (config: Config, reading: Reading) => Output;
}

/** The variables that a layer has, in Keras's order; none of a layer that is not known. */
export function variablesOf({ className, config }: KerasLayer): Variable[] {
  const trainable = config.trainable !== false;
  try {
    const variables = READERS[kindOf(className)]?.variables?.(config) ?? [];
    return trainable ? variables : variables.map(({ name }) => ({ name, trainable }));
  } catch {
    return []; // refused when it is read
  }
}

/** @throws Refusal saying what about the layer is not accepted. */
export function readLayer({ className, config }: KerasLayer, reading: Reading): Output {
  const reader = READERS[kindOf(className)];
  if (!reader) throw new UnknownKind('this kind of layer is not known');
  return reader.read(config, reading);
}

/** `Addons>GroupNormalization` and `Custom>…` are named after where they come from. */
const kindOf = (className: string) => className.replace(/^.*>/, '');

const pairSchema = z.union([
  z.number().transform((n): Pair => [n, n]),
  z.tuple([z.number(), z.number()]).transform(([a, b]): Pair => [a, b]),
]);
const size = z.number().int().positive();

const denseSchema = z.looseObject({
  units: size,
  activation: z.unknown().optional(),
  use_bias: z.boolean().default(true),
});

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

const axisSchema = z.union([z.number(), z.tuple([z.number()]).transform(([axis]) => axis)]);

const normalizationSchema = z.looseObject({
  axis: axisSchema.default(-1),
  momentum: z.number().default(0.99),
  epsilon: z.number().positive().default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
  groups: z.number().int().default(32),
});

const nothing: Reader = { read: (_, { inputs }) => inputs[0]! };

const activation: Reader = {
  read: (config, reading) => withActivation(reading, reading.inputs[0]!, config.activation),
};

const activationLayer = (name: string): Reader => ({
  read: (config, { builder, inputs }) =>
    ACTIVATION_LAYERS[name]!(config).reduce((x, layer) => builder.add(layer, x), inputs[0]!),
});

const merged = (type: Combination): Reader => ({
  read: (_, { builder, inputs }) => builder.add({ type }, inputs),
});

const READERS: Readonly<Record<string, Reader | undefined>> = {
  Dense: {
    variables: kernelAndBias,
    read(config, reading) {
      const { builder, take } = reading;
      const [x] = reading.inputs as [Output];
      const { units, activation: after, use_bias } = parse(denseSchema, config);
      const inputs = x.shape.at(-1)!;
      const values = {
        kernel: take('kernel', [inputs, units]),
        bias: use_bias ? take('bias', [units]) : undefined,
      };
      // At each place by itself, as Keras does it, that is a convolution of one pixel.
      const image = [...Array(3 - x.shape.length).fill(1), ...x.shape] as number[];
      if (x.shape.length > 1) {
        const layer = { type: 'conv2d', filters: units, kernelSize: 1, strides: 1 } as const;
        const made = builder.add(layer, builder.reshape(x, image), values);
        return withActivation(
          reading,
          builder.reshape(made, [...x.shape.slice(0, -1), units]),
          after,
        );
      }
      const [next, ...others] = activationLayers(after, reading.dialect === 'keras3');
      const inside = next?.type === 'activation' ? { activation: next.activation } : {};
      const made = builder.add({ type: 'dense', units, ...inside }, x, values);
      const rest = next && next.type !== 'activation' ? [next, ...others] : others;
      return rest.reduce((y, layer) => builder.add(layer, y), made);
    },
  },
  Embedding: {
    variables: () => [{ name: 'embeddings', trainable: true }],
    read(config, { builder, inputs, take }) {
      const { input_dim, output_dim } = parse(
        z.looseObject({ input_dim: size, output_dim: size }),
        config,
      );
      const [x] = inputs as [Output];
      accept(x.shape.join() === `${input_dim}`, 'an input that is no class');
      const kernel = take('embeddings', [input_dim, output_dim]);
      const made = builder.add({ type: 'dense', units: output_dim }, x, { kernel });
      return builder.reshape(made, [1, output_dim]);
    },
  },
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
  BatchNormalization: {
    variables: (config) => [
      ...gammaAndBeta(config),
      { name: 'moving_mean', trainable: false },
      { name: 'moving_variance', trainable: false },
    ],
    read(config, { builder, inputs, take }) {
      const [x] = inputs as [Output];
      const { momentum, epsilon } = normalized(config, x);
      const channels = [x.shape.at(-1)!];
      const values = Object.fromEntries(
        this.variables!(config).map(({ name }) => [name, take(name, channels)]),
      );
      return builder.add({ type: 'batchNormalization', momentum, epsilon }, x, values);
    },
  },
  LayerNormalization: {
    variables: gammaAndBeta,
    read(config, { builder, inputs, take }) {
      const [x] = inputs as [Output];
      const { epsilon } = normalized(config, x);
      const values = Object.fromEntries(
        gammaAndBeta(config).map(({ name }) => [name, take(name, [x.shape.at(-1)!])]),
      );
      return builder.add({ type: 'layerNormalization', epsilon }, x, values);
    },
  },
  GroupNormalization: groupNormalization(({ groups }, channels) =>
    groups === -1 ? channels : groups,
  ),
  InstanceNormalization: groupNormalization((_, channels) => channels),
  UpSampling2D: {
    read(config, { builder, inputs, dialect }) {
      const [x] = inputs as [Output];
      const schema = z.looseObject({
        size: pairSchema.default([2, 2]),
        data_format: z.string().nullish(),
        interpolation: z.string().default('nearest'),
      });
      const { size: factors, data_format, interpolation } = parse(schema, config);
      channelsLast(data_format);
      if (interpolation === 'nearest' && factors[0] === factors[1]) {
        const doublings = Math.log2(factors[0]);
        if (Number.isInteger(doublings)) {
          return Array.from({ length: doublings }).reduce<Output>(
            (y) => builder.add({ type: 'upSampling2d' }, y),
            x,
          );
        }
      }
      const [height = 1, width = 1] = x.shape;
      const coordinates = dialect === 'tfjs' ? 'asymmetric' : 'half_pixel';
      const resizedTo = { height: height * factors[0], width: width * factors[1] };
      return resized(builder, x, { ...resizedTo, interpolation, coordinates });
    },
  },
  Resizing: {
    read(config, { builder, inputs, dialect }) {
      const schema = z.looseObject({
        ...{ height: size, width: size, interpolation: z.string().default('bilinear') },
        crop_to_aspect_ratio: z.boolean().default(false),
        pad_to_aspect_ratio: z.boolean().default(false),
      });
      const { height, width, interpolation, ...rest } = parse(schema, config);
      accept(!rest.crop_to_aspect_ratio && !rest.pad_to_aspect_ratio, 'a kept aspect ratio');
      // In tfjs 4.22 it fails in every model.
      accept(dialect !== 'tfjs', 'tfjs cannot run it');
      return resized(builder, inputs[0]!, {
        ...{ height, width, interpolation, coordinates: 'half_pixel' },
      });
    },
  },
  ZeroPadding2D: {
    read(config, { builder, inputs }) {
      return builder.add({ type: 'zeroPadding2d', padding: sides(config.padding, 1) }, inputs[0]!);
    },
  },
  Cropping2D: {
    read(config, { builder, inputs }) {
      return builder.add({ type: 'cropping2d', cropping: sides(config.cropping, 0) }, inputs[0]!);
    },
  },
  Reshape: {
    read(config, { builder, inputs }) {
      const [x] = inputs as [Output];
      const schema = z.looseObject({ target_shape: z.array(z.number()) });
      const { target_shape: shape } = parse(schema, config);
      const known = product(shape.filter((length) => length !== -1));
      const open = product(x.shape) / known;
      const target = shape.map((n) => (n === -1 ? open : n));
      accept(
        product(target) === product(x.shape) && target.every((n) => n > 0),
        `target_shape [${shape}] of ${product(x.shape)} numbers`,
      );
      return builder.reshape(x, target);
    },
  },
  Flatten: {
    read: (_, { builder, inputs }) => builder.reshape(inputs[0]!, [product(inputs[0]!.shape)]),
  },
  Permute: {
    read(config, { builder, inputs }) {
      const { dims } = parse(z.looseObject({ dims: z.array(size) }), config);
      return builder.add({ type: 'permute', axes: dims.map((axis) => axis - 1) }, inputs[0]!);
    },
  },
  Rescaling: {
    read(config, { builder, inputs }) {
      const schema = z.looseObject({ scale: z.number(), offset: z.number().default(0) });
      const { scale, offset } = parse(schema, config);
      return builder.add({ type: 'rescaling', scale, offset }, inputs[0]!);
    },
  },
  PReLU: {
    variables: () => [{ name: 'alpha', trainable: true }],
    read(config, { builder, inputs, take }) {
      const [x] = inputs as [Output];
      const schema = z.looseObject({ shared_axes: z.array(z.number().int()).nullish() });
      const shared = parse(schema, config).shared_axes ?? [];
      const shape = x.shape.map((length, axis) => (shared.includes(axis + 1) ? 1 : length));
      return builder.add({ type: 'pRelu', shape }, x, { alpha: take('alpha', shape) });
    },
  },
  Concatenate: {
    read(config, { builder, inputs }) {
      const axis = axisSchema.default(-1).safeParse(config.axis);
      const axes = inputs[0]!.shape.length;
      accept(axis.data === -1 || axis.data === axes, `axis ${axis.data}, which is not the last`);
      return builder.add({ type: 'concatenate' }, inputs);
    },
  },
  Add: merged('add'),
  Subtract: merged('subtract'),
  Multiply: merged('multiply'),
  Average: merged('average'),
  Maximum: merged('maximum'),
  Minimum: merged('minimum'),
  Activation: activation,
  ReLU: activationLayer('ReLU'),
  LeakyReLU: activationLayer('LeakyReLU'),
  ELU: activationLayer('ELU'),
  RepeatVector: {
    read(config, { builder, inputs }) {
      const { n } = parse(z.looseObject({ n: size }), config);
      const [x] = inputs as [Output];
      const row = builder.reshape(x, [1, 1, product(x.shape)]);
      const [, , channels] = row.shape as [number, number, number];
      const repeated = resized(builder, row, {
        ...{ height: 1, width: n, interpolation: 'nearest', coordinates: 'half_pixel' },
      });
      return builder.reshape(repeated, [n, channels]);
    },
  },
  Dropout: nothing,
  SpatialDropout2D: nothing,
  AlphaDropout: nothing,
  GaussianDropout: nothing,
  GaussianNoise: nothing,
  ActivityRegularization: nothing,
};

function groupNormalization(
  groupsOf: (config: z.output<typeof normalizationSchema>, channels: number) => number,
): Reader {
  return {
    variables: gammaAndBeta,
    read(config, { builder, inputs, take }) {
      const [x] = inputs as [Output];
      const given = normalized(config, x);
      const channels = x.shape.at(-1)!;
      const values = Object.fromEntries(
        gammaAndBeta(config).map(({ name }) => [name, take(name, [channels])]),
      );
      const groups = groupsOf(given, channels);
      return builder.add({ type: 'groupNormalization', groups, epsilon: given.epsilon }, x, values);
    },
  };
}

function normalized(config: Config, { shape }: Output) {
  const parsed = parse(normalizationSchema, config);
  const { axis } = parsed;
  accept(axis === -1 || axis === shape.length, `axis ${axis}, which is not the last`);
  return parsed;
}

function gammaAndBeta(config: Config): Variable[] {
  return [
    ...(config.scale === false ? [] : [{ name: 'gamma', trainable: true }]),
    ...(config.center === false ? [] : [{ name: 'beta', trainable: true }]),
  ];
}

function kernelAndBias(config: Config): Variable[] {
  const kernel = { name: 'kernel', trainable: true };
  return config.use_bias === false ? [kernel] : [kernel, { name: 'bias', trainable: true }];
}

function withActivation({ builder, dialect }: Reading, x: Output, value: unknown): Output {
  return activationLayers(value, dialect === 'keras3').reduce(
    (y, layer) => builder.add(layer, y),
    x,
  );
}

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

/** What Keras leaves out of a transposed convolution: of (n − 1) · stride + kernel, before and after. */
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

function resized(
  builder: NetworkBuilder,
  x: Output,
  {
    interpolation,
    ...layer
  }: { height: number; width: number; interpolation: string; coordinates: Coordinates },
): Output {
  accept(
    interpolation === 'nearest' || interpolation === 'bilinear',
    `interpolation "${interpolation}"`,
  );
  const method = interpolation === 'nearest' ? 'nearest' : 'bilinear';
  return builder.add({ type: 'resize', ...layer, method }, x);
}

const sidesSchema = z.union([
  z.number().transform(
    (n): Padding2D => [
      [n, n],
      [n, n],
    ],
  ),
  z.tuple([pairSchema, pairSchema]),
]);

function sides(value: unknown, otherwise: number): Padding2D {
  return parse(
    sidesSchema.default([
      [otherwise, otherwise],
      [otherwise, otherwise],
    ]),
    value,
  );
}

/** @throws Refusal when the input is no image. */
function image({ inputs }: Reading): Output {
  const [x] = inputs as [Output];
  accept(x.shape.length === 3, `an input of shape [${x.shape.join(', ')}], which is no image`);
  return x;
}

function parse<Schema extends z.ZodType>(schema: Schema, config: unknown): z.output<Schema> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Refusal(`${issue.path.join('.')} is not as Keras writes it`);
}

function channelsLast(dataFormat: string | null | undefined): void {
  accept(!dataFormat || dataFormat === 'channels_last', `data_format "${dataFormat}"`);
}

function accept(condition: boolean, otherwise: string): void {
  if (!condition) throw new Refusal(otherwise);
}
