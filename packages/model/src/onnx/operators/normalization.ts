import type { Tensor } from '../values.ts';
import {
  accept,
  channelsOf,
  float,
  integer,
  numbersAt,
  type Operators,
  type Reading,
  required,
  tensorAt,
} from './reading.ts';

function batchNormalization(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  const [gamma, beta, moving_mean, moving_variance] = [1, 2, 3, 4].map((i) =>
    Float32Array.from(required(reading, i).values),
  );
  const epsilon = float(reading, 'epsilon', 1e-5);
  const layer = { type: 'batchNormalization', momentum: 0.9, epsilon } as const;
  const values = { gamma, beta, moving_mean, moving_variance };
  return { output: reading.builder.add(layer, output, values), dims };
}

function groupNormalization(reading: Reading, groups: number): Tensor {
  const x = tensorAt(reading, 0);
  const channels = channelsOf(x);
  const epsilon = float(reading, 'epsilon', 1e-5);
  // Until opset 20 there was one number for each group.
  const each = (i: number) => {
    const values = Float32Array.from(required(reading, i).values);
    const share = channels / values.length;
    return Float32Array.from({ length: channels }, (_, c) => values[Math.floor(c / share)]!);
  };
  const values = { gamma: each(1), beta: each(2) };
  const layer = { type: 'groupNormalization', groups, epsilon } as const;
  return { output: reading.builder.add(layer, x.output, values), dims: x.dims };
}

/** PyTorch writes group normalization as that of instances `[groups, numbers]`, which it scales later. */
function instanceNormalization(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  if (dims.length !== 2) return groupNormalization(reading, dims[0]!);
  const neutral =
    required(reading, 1).values.every((value) => value === 1) &&
    required(reading, 2).values.every((value) => value === 0);
  accept(neutral, `a scale of [${dims}]`);
  const layer = { type: 'layerNormalization', epsilon: float(reading, 'epsilon', 1e-5) } as const;
  return { output: reading.builder.add(layer, output), dims };
}

function layerNormalization(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  const axis = integer(reading, 'axis', -1);
  accept(dims.length === 1 && (axis === -1 || axis === 1), `axis ${axis} of [${dims}]`);
  const layer = { type: 'layerNormalization', epsilon: float(reading, 'epsilon', 1e-5) } as const;
  const values = { gamma: numbersAt(reading, 1), beta: numbersAt(reading, 2) };
  return { output: reading.builder.add(layer, output, values), dims };
}

export const NORMALIZATION_OPERATORS: Operators = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: (reading) => groupNormalization(reading, integer(reading, 'num_groups', 1)),
  LayerNormalization: layerNormalization,
};
