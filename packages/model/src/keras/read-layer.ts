/**
 * Keras layers as ours.
 *
 * Where a Keras layer is another way to say ours, it becomes ours: an activation inside a
 * convolution is a layer after it, a bias that is not there is zero.
 *
 * @module
 */
import { z } from 'zod';
import type { Layer } from '../networks/layers.ts';
import * as ours from '../networks/layers.ts';
import type { KerasLayer } from './chain.ts';

export interface ConvertedLayer {
  layers: Layer[];
  /** The variables that the Keras layer has, in its order; they belong to the first of `layers`. */
  variables: readonly Variable[];
}

export interface Variable {
  /** `kernel`, `bias`, `gamma`, … */
  name: string;
  trainable: boolean;
}

/** Why a layer is not accepted. */
export class Refusal extends Error {}

/**
 * @param inputShape without the batch axis
 * @throws Refusal saying what about the layer is not accepted.
 */
export function convertLayer(
  { className, config }: KerasLayer,
  inputShape: readonly number[],
): ConvertedLayer {
  const convert = CONVERTERS[className];
  if (!convert) throw new Refusal('this kind of layer is not known');
  return convert(config, inputShape);
}

type Converter = (config: KerasLayer['config'], inputShape: readonly number[]) => ConvertedLayer;

const pairSchema = z.union([
  z.number().transform((n) => [n, n]),
  z.tuple([z.number(), z.number()]),
]);
const size = z.number().int().positive();

const denseSchema = z.looseObject({
  units: size,
  activation: z.unknown().optional(),
  use_bias: z.boolean().default(true),
});

const convolutionSchema = z.looseObject({
  filters: size,
  kernel_size: pairSchema,
  strides: pairSchema.default([1, 1]),
  padding: z.string().default('valid'),
  data_format: z.string().nullish(),
  dilation_rate: pairSchema.default([1, 1]),
  groups: z.number().default(1),
  activation: z.unknown().optional(),
  use_bias: z.boolean().default(true),
  output_padding: z.unknown().optional(),
});

const normalizationSchema = z.looseObject({
  axis: z.union([z.number(), z.tuple([z.number()]).transform(([axis]) => axis)]).default(-1),
  momentum: z.number().default(0.99),
  epsilon: z.number().positive().default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
});

const upSamplingSchema = z.looseObject({
  size: pairSchema.default([2, 2]),
  data_format: z.string().nullish(),
  interpolation: z.string().default('nearest'),
});

const reluSchema = z.looseObject({
  max_value: z.number().nullish(),
  negative_slope: z.number().nullish(),
  threshold: z.number().nullish(),
});

const nothing: Converter = () => ({ layers: [], variables: [] });

const CONVERTERS: Readonly<Record<string, Converter | undefined>> = {
  Dense(config) {
    const { units, activation, use_bias } = parse(denseSchema, config);
    const [after, ...others] = activations(activation);
    const inside = after?.type === 'activation' ? after.activation : undefined;
    return {
      layers: [
        ours.dense(units, inside ? { activation: inside } : {}),
        ...(after && !inside ? [after, ...others] : []),
      ],
      variables: kernelAndBias(use_bias),
    };
  },
  Conv2D(config) {
    const { filters, options, after, variables } = convolution(config);
    return { layers: [ours.conv2d(filters, options), ...after], variables };
  },
  Conv2DTranspose(config) {
    const { filters, options, after, variables } = convolution(config);
    const { kernelSize, strides } = options;
    accept(strides <= 2, `strides ${strides}, where 1 and 2 are known`);
    accept(kernelSize >= strides, `a kernel of ${kernelSize} with strides ${strides}`);
    return { layers: [ours.conv2dTranspose(filters, options), ...after], variables };
  },
  BatchNormalization(config, inputShape) {
    const { axis, momentum, epsilon, center, scale } = parse(normalizationSchema, config);
    accept(axis === -1 || axis === inputShape.length, `axis ${axis}, which is not the last`);
    return {
      layers: [ours.batchNormalization({ momentum, epsilon })],
      variables: [
        ...(scale ? [{ name: 'gamma', trainable: true }] : []),
        ...(center ? [{ name: 'beta', trainable: true }] : []),
        { name: 'moving_mean', trainable: false },
        { name: 'moving_variance', trainable: false },
      ],
    };
  },
  UpSampling2D(config) {
    const { size: factors, data_format, interpolation } = parse(upSamplingSchema, config);
    channelsLast(data_format);
    accept(interpolation === 'nearest', `interpolation "${interpolation}"`);
    const doublings = Math.log2(square('size', factors));
    accept(Number.isInteger(doublings), `size ${factors[0]}, which is no power of 2`);
    return { layers: Array.from({ length: doublings }, ours.upSampling2d), variables: [] };
  },
  Reshape(config, inputShape) {
    const { target_shape: shape } = parse(
      z.looseObject({ target_shape: z.array(z.number()) }),
      config,
    );
    const known = ours.product(shape.filter((length) => length !== -1));
    const open = ours.product(inputShape) / known;
    return { layers: [ours.reshape(...shape.map((n) => (n === -1 ? open : n)))], variables: [] };
  },
  Flatten(_, inputShape) {
    return { layers: inputShape.length === 1 ? [] : [ours.flatten()], variables: [] };
  },
  Activation(config) {
    return { layers: activations(config.activation), variables: [] };
  },
  ReLU(config) {
    const { max_value, negative_slope, threshold } = parse(reluSchema, config);
    accept(max_value === undefined || max_value === null, `max_value ${max_value}`);
    accept(!threshold, `threshold ${threshold}`);
    const layer = negative_slope ? ours.leakyRelu(negative_slope) : ours.activation('relu');
    return { layers: [layer], variables: [] };
  },
  LeakyReLU(config) {
    // `alpha` in Keras 2, whose default is 0.3 as well.
    const slope = z
      .number()
      .default(0.3)
      .safeParse(config.negative_slope ?? config.alpha);
    if (!slope.success) throw new Refusal('a slope that is no number');
    return { layers: [ours.leakyRelu(slope.data)], variables: [] };
  },
  Dropout: nothing,
  SpatialDropout2D: nothing,
  AlphaDropout: nothing,
  GaussianDropout: nothing,
  GaussianNoise: nothing,
  ActivityRegularization: nothing,
};

function convolution(config: KerasLayer['config']) {
  const { filters, kernel_size, strides, padding, ...rest } = parse(convolutionSchema, config);
  channelsLast(rest.data_format);
  const kernelSize = square('kernel_size', kernel_size);
  const stride = square('strides', strides);
  accept(
    padding === 'same' || (kernelSize === 1 && stride === 1),
    `padding "${padding}", where only "same" is known`,
  );
  accept(
    square('dilation_rate', rest.dilation_rate) === 1,
    `dilation_rate ${rest.dilation_rate[0]}`,
  );
  accept(rest.groups === 1, `groups ${rest.groups}`);
  accept(rest.output_padding === undefined || rest.output_padding === null, 'output_padding');
  return {
    filters,
    options: { kernelSize, strides: stride },
    after: activations(rest.activation),
    variables: kernelAndBias(rest.use_bias),
  };
}

function kernelAndBias(useBias: boolean): Variable[] {
  const kernel = { name: 'kernel', trainable: true };
  return useBias ? [kernel, { name: 'bias', trainable: true }] : [kernel];
}

/** `tf.nn.leaky_relu` and Keras 3's `leaky_relu`, named as text, have this slope. */
const LEAKY_RELU_SLOPE = 0.2;

/** The layers that stand for an activation: its name, or an object that has the name in it. */
function activations(value: unknown): Layer[] {
  switch (value) {
    case undefined:
    case null:
    case 'linear':
      return [];
    case 'relu':
    case 'tanh':
    case 'sigmoid':
      return [ours.activation(value)];
    case 'leaky_relu':
      return [ours.leakyRelu(LEAKY_RELU_SLOPE)];
  }
  const object = z.looseObject({ class_name: z.string(), config: z.unknown() }).safeParse(value);
  if (!object.success) throw new Refusal(`activation ${JSON.stringify(value)}`);
  const { class_name, config } = object.data;
  if (class_name === 'function') return activations(config);
  if (class_name !== 'LeakyReLU' && class_name !== 'ReLU') {
    throw new Refusal(`activation ${class_name}`);
  }
  return CONVERTERS[class_name]!(config as KerasLayer['config'], []).layers;
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

function square(what: string, [a, b]: readonly number[]): number {
  accept(a === b, `${what} ${a}×${b}, which is not square`);
  return a!;
}

function accept(condition: boolean, otherwise: string): void {
  if (!condition) throw new Refusal(otherwise);
}
