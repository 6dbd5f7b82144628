/**
 * Layers as a manifest has them.
 *
 * @module
 */
import * as z from 'zod';
import { type Layer, product } from '../networks/layers.ts';
import { functional, type Network } from '../networks/network.ts';
import { COMBINATIONS } from '../networks/served-layers.ts';
import { UserError } from '../user-error.ts';

const size = z.number().int().positive();
const activationSchema = z.enum(['relu', 'tanh', 'sigmoid']);
const pair = z.tuple([size, size]);
const sides = z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]);
const padding = z.tuple([sides, sides]);
const anySides = z.tuple([z.number().int(), z.number().int()]);

/** Places of the layers that feed it, −1 for the latent; the layer before it when omitted. */
const inputs = z.array(z.number().int().min(-1)).min(1).optional();

const layer = <Type extends string, Fields extends z.ZodRawShape>(type: Type, fields: Fields) =>
  z.strictObject({ type: z.literal(type), ...fields, inputs });

const elementwise = <Name extends string, Fields extends z.ZodRawShape>(
  name: Name,
  fields: Fields,
) => layer('elementwise', { function: z.literal(name), ...fields });

const plainFunctions = [
  ...(['selu', 'silu', 'hardSilu', 'gelu', 'geluTanh', 'softplus', 'softsign', 'mish'] as const),
  'exp',
  'erf',
] as const;

const elementwiseSchema = z.discriminatedUnion('function', [
  elementwise('elu', { alpha: z.number() }),
  elementwise('clip', { low: z.number(), high: z.number() }),
  elementwise('hardSigmoid', { slope: z.number(), offset: z.number() }),
  layer('elementwise', { function: z.enum(plainFunctions) }),
]);

export const layerSchema = z.discriminatedUnion('type', [
  layer('dense', { units: size, activation: activationSchema.optional() }),
  layer('reshape', { shape: z.array(size) }),
  layer('flatten', {}),
  layer('conv2d', { filters: size, kernelSize: size, strides: size }),
  layer('conv2dTranspose', { filters: size, kernelSize: size, strides: size }),
  layer('paddedConv2d', { filters: size, kernelSize: pair, strides: pair, padding }),
  layer('croppedConv2dTranspose', {
    filters: size,
    kernelSize: pair,
    strides: pair,
    cropping: z.tuple([anySides, anySides]),
  }),
  layer('depthwiseConv2d', { kernelSize: pair, strides: pair, padding }),
  layer('upSampling2d', {}),
  layer('resize', {
    height: size,
    width: size,
    method: z.enum(['nearest', 'bilinear', 'bicubic']),
    coordinates: z.enum(['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel']),
  }),
  layer('zeroPadding2d', { padding }),
  layer('cropping2d', { cropping: padding }),
  layer('permute', { axes: z.array(z.number().int().nonnegative()).min(1).max(3) }),
  layer('slice', { start: z.number().int().nonnegative(), size }),
  layer('rescaling', { scale: z.number(), offset: z.number() }),
  layer('batchNormalization', { momentum: z.number(), epsilon: z.number().positive() }),
  layer('groupNormalization', { groups: size, epsilon: z.number().positive() }),
  layer('layerNormalization', { epsilon: z.number().positive() }),
  layer('activation', { activation: activationSchema }),
  layer('leakyRelu', { alpha: z.number() }),
  layer('pRelu', { shape: z.array(size).min(1).max(3) }),
  elementwiseSchema,
  layer('dropout', { rate: z.number() }),
  ...COMBINATIONS.map((type) => layer(type, {})),
  layer('concatenate', {}),
]);

/**
 * Of the output of a layer: 1024 × 1024 pixels of 64 channels, 256 MiB of float32. Of 8192 × 8192 × 3 a
 * server rendered each image for 10 to 25 s, and of 65536 × 65536 none.
 */
const MAX_NUMBERS = 2 ** 26;

export type LayerEntry = z.infer<typeof layerSchema>;

/** Layers as a manifest lists them. */
export const layerEntries = ({ layers }: Network): object[] =>
  layers.map(({ layer: { ...fields }, inputs: from }, i) =>
    from.length === 1 && from[0] === i - 1 ? fields : { ...fields, inputs: from },
  );

/**
 * The network of a manifest's layers.
 * @param file what the manifest is called in messages
 * @throws UserError naming the layer that does not fit.
 */
export function networkOf(
  entries: readonly LayerEntry[],
  { latentSize, file }: { latentSize: number; file: string },
): Network {
  const nodes = entries.map(({ inputs: from, ...fields }, i) => ({
    layer: fields satisfies Layer,
    inputs: from ?? [i - 1],
  }));
  const network = build();
  const large = network.layers.findIndex(({ outputShape }) => product(outputShape) > MAX_NUMBERS);
  if (large < 0) return network;
  const { layer, outputShape } = network.layers[large]!;
  throw new UserError(
    `${file}: layer ${large} (${layer.type}) makes ${outputShape.join(' × ')} numbers of one image; ` +
      `the most are ${MAX_NUMBERS}: images of fewer pixels or channels`,
  );

  function build(): Network {
    try {
      return functional('generator', [latentSize], nodes);
    } catch (error) {
      throw new UserError(`${file}: ${(error as Error).message}`);
    }
  }
}
