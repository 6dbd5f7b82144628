/**
 * Layers on each number by itself, on several inputs number by number, and those that only train.
 *
 * @module
 */
import { z } from 'zod';
import type { Output } from '../../networks/network-builder.ts';
import type { Combination } from '../../networks/served-layers.ts';
import { ACTIVATION_LAYERS } from '../activations.ts';
import { accept, axisSchema, parse, type Reader, type Readers, withActivation } from './reading.ts';

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

export const POINTWISE_READERS: Readers = {
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
  Dropout: nothing,
  SpatialDropout2D: nothing,
  AlphaDropout: nothing,
  GaussianDropout: nothing,
  GaussianNoise: nothing,
  ActivityRegularization: nothing,
};
