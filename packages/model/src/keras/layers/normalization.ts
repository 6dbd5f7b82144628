import { z } from 'zod';
import type { Output } from '../../networks/network-builder.ts';
import {
  accept,
  axisSchema,
  type Config,
  parse,
  type Reader,
  type Readers,
  type Variable,
} from './reading.ts';

const normalizationSchema = z.looseObject({
  axis: axisSchema.default(-1),
  momentum: z.number().default(0.99),
  epsilon: z.number().positive().default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
  groups: z.number().int().default(32),
});

export const NORMALIZATION_READERS: Readers = {
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
