/**
 * Keras activations, by name or as layers.
 *
 * @module
 */
import { z } from 'zod';
import type { Layer } from '../networks/layers.ts';

/** Why a layer is not accepted. */
export class Refusal extends Error {}

/** That it is not known, wherever it stands. */
export class UnknownKind extends Refusal {}

/** `tf.nn.leaky_relu` and Keras 3's `leaky_relu`, named as text, have this slope. */
const LEAKY_RELU_SLOPE = 0.2;

const elementwise = (name: 'selu' | 'silu' | 'softplus' | 'softsign' | 'mish' | 'hardSilu') =>
  [{ type: 'elementwise', function: name }] satisfies Layer[];

const elu = (alpha: number): Layer[] => [{ type: 'elementwise', function: 'elu', alpha }];

const clip = (low: number, high: number): Layer[] => [
  { type: 'elementwise', function: 'clip', low, high },
];

/** What a name means; `keras3` where Keras 3 has given it another meaning. */
const NAMED: Readonly<Record<string, (keras3: boolean) => Layer[]>> = {
  linear: () => [],
  relu: () => [{ type: 'activation', activation: 'relu' }],
  tanh: () => [{ type: 'activation', activation: 'tanh' }],
  sigmoid: () => [{ type: 'activation', activation: 'sigmoid' }],
  leaky_relu: () => [{ type: 'leakyRelu', alpha: LEAKY_RELU_SLOPE }],
  elu: () => elu(1),
  selu: () => elementwise('selu'),
  silu: () => elementwise('silu'),
  swish: () => elementwise('silu'),
  softplus: () => elementwise('softplus'),
  softsign: () => elementwise('softsign'),
  mish: () => elementwise('mish'),
  exponential: () => [{ type: 'elementwise', function: 'exp' }],
  relu6: () => clip(0, 6),
  hard_tanh: () => clip(-1, 1),
  hard_silu: () => elementwise('hardSilu'),
  hard_swish: () => elementwise('hardSilu'),
  gelu: () => [{ type: 'elementwise', function: 'gelu' }],
  // Keras 2: clip(0.2 · x + 0.5, 0, 1); Keras 3: clip(x / 6 + 0.5, 0, 1).
  hard_sigmoid: (keras3) => [
    { type: 'elementwise', function: 'hardSigmoid', slope: keras3 ? 1 / 6 : 0.2, offset: 0.5 },
  ],
};

const objectSchema = z.looseObject({ class_name: z.string(), config: z.unknown() });

/** The layers that stand for an activation: its name, or an object that has the name in it. */
export function activationLayers(value: unknown, keras3: boolean): Layer[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') {
    const named = NAMED[value.replace(/^.*>/, '')];
    if (!named) throw new UnknownKind(`activation ${JSON.stringify(value)}`);
    return named(keras3);
  }
  const object = objectSchema.safeParse(value);
  if (!object.success) throw new UnknownKind(`activation ${JSON.stringify(value)}`);
  const { class_name, config } = object.data;
  if (class_name === 'function') return activationLayers(config, keras3);
  const layer = ACTIVATION_LAYERS[class_name];
  if (!layer) throw new UnknownKind(`activation ${class_name}`);
  return layer((config ?? {}) as Readonly<Record<string, unknown>>);
}

const reluSchema = z.looseObject({
  max_value: z.number().nullish(),
  negative_slope: z.number().nullish(),
  threshold: z.number().nullish(),
});

/** Layers that are activations with arguments. */
export const ACTIVATION_LAYERS: Readonly<
  Record<string, ((config: Readonly<Record<string, unknown>>) => Layer[]) | undefined>
> = {
  ReLU(config) {
    const parsed = reluSchema.safeParse(config);
    if (!parsed.success) throw new Refusal('arguments that are no numbers');
    const { max_value, negative_slope, threshold } = parsed.data;
    if (threshold) throw new Refusal(`threshold ${threshold}`);
    if (typeof max_value === 'number') {
      if (negative_slope) throw new Refusal(`max_value ${max_value} with a negative slope`);
      return clip(0, max_value);
    }
    return negative_slope
      ? [{ type: 'leakyRelu', alpha: negative_slope }]
      : [{ type: 'activation', activation: 'relu' }];
  },
  // `alpha` in Keras 2, whose default is 0.3 as well.
  LeakyReLU: (config) => [
    { type: 'leakyRelu', alpha: slope(config.negative_slope ?? config.alpha, 0.3) },
  ],
  ELU: (config) => elu(slope(config.alpha, 1)),
};

function slope(value: unknown, otherwise: number): number {
  const parsed = z.number().default(otherwise).safeParse(value);
  if (parsed.success) return parsed.data;
  // tfjs-layers and some Keras versions store arrays as objects.
  const stored = z.looseObject({ value: z.number() }).safeParse(value);
  if (stored.success) return stored.data.value;
  throw new Refusal('a slope that is no number');
}
