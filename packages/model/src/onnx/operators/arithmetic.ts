/**
 * Operators on several tensors, or on a tensor and constants.
 *
 * @module
 */
import type { NetworkBuilder } from '../../networks/network-builder.ts';
import type { Constant } from '../model.ts';
import { isTensor, type Tensor, type Value } from '../values.ts';
import { CONSTANT_OPERATORS } from './constants.ts';
import {
  accept,
  channelsOf,
  imageOf,
  integer,
  type Operator,
  type Operators,
  type Reading,
  tensorAt,
} from './reading.ts';

type Arithmetic = 'add' | 'subtract' | 'multiply' | 'divide';

/** Of two tensors, or of one and constants: one number, or one for each channel. */
const arithmetic =
  (type: Arithmetic): Operator =>
  (reading) => {
    const [a, b] = reading.inputs as [Value, Value];
    if (!isTensor(a) && !isTensor(b)) return CONSTANT_OPERATORS[reading.node.operator]!(reading);
    if (isTensor(a) && isTensor(b)) {
      accept(type !== 'divide', 'a division by a tensor');
      const layer = { type: type as 'add' | 'subtract' | 'multiply' };
      return combined(reading.builder, layer, [a, b]);
    }
    const [x, constant] = isTensor(a) ? [a, b as Constant] : [b as Tensor, a];
    const numbers = Float32Array.from(constant.values);
    accept(isTensor(a) || type !== 'divide', 'a division by a tensor');
    // x + c, x − c, c − x, x · c, x / c as s · x + t.
    const flipped = !isTensor(a) && type === 'subtract';
    const scaleOf = { add: () => 1, subtract: () => (flipped ? -1 : 1) };
    const scales = numbers.map((c) => {
      if (type === 'multiply') return c;
      return type === 'divide' ? 1 / c : scaleOf[type]();
    });
    const shifts = numbers.map((c) => {
      if (type === 'add' || flipped) return c;
      return type === 'subtract' ? -c : 0;
    });
    return affine(reading.builder, x, { scales, shifts, dims: constant.dims });
  };

function affine(
  builder: NetworkBuilder,
  x: Tensor,
  { scales, shifts, dims }: { scales: Float32Array; shifts: Float32Array; dims: readonly number[] },
): Tensor {
  if (scales.length === 1) {
    const layer = { type: 'rescaling', scale: scales[0]!, offset: shifts[0]! } as const;
    return { output: builder.add(layer, x.output), dims: x.dims };
  }
  // [1, channels, 1, 1] or [channels, 1, 1]; of flat numbers [units].
  const axes = x.dims.length;
  const aligned = dims.length > axes ? dims.slice(dims.length - axes) : dims;
  const channels = channelsOf(x);
  const padded = [...Array<number>(axes - aligned.length).fill(1), ...aligned];
  accept(
    padded[0] === channels && scales.length === channels,
    `a constant of [${dims}] with [${x.dims}]`,
  );
  // Statistics that change nothing.
  const layer = { type: 'batchNormalization', momentum: 0.9, epsilon: 1e-12 } as const;
  const output = builder.add(layer, x.output, { gamma: scales, beta: shifts });
  return { output, dims: x.dims };
}

function combined(
  builder: NetworkBuilder,
  layer: { type: 'add' | 'subtract' | 'multiply' | 'maximum' | 'minimum' },
  tensors: readonly Tensor[],
): Tensor {
  const output = builder.add(
    layer,
    tensors.map((tensor) => tensor.output),
  );
  return output.shape.length === 3 ? imageOf(output) : { output, dims: output.shape };
}

const combination =
  (type: 'maximum' | 'minimum' | 'add'): Operator =>
  (reading) =>
    combined(
      reading.builder,
      { type },
      reading.inputs.map((_, i) => tensorAt(reading, i)),
    );

function concat(reading: Reading): Value {
  if (reading.inputs.every((value) => value && !isTensor(value))) {
    return CONSTANT_OPERATORS.Concat!(reading);
  }
  const tensors = reading.inputs.map((_, i) => tensorAt(reading, i));
  const axis = integer(reading, 'axis', 1);
  const axes = tensors[0]!.dims.length + 1;
  accept(axis === 1 || axis === 1 - axes, `axis ${axis}`);
  const output = reading.builder.add(
    { type: 'concatenate' },
    tensors.map((tensor) => tensor.output),
  );
  return output.shape.length === 3 ? imageOf(output) : { output, dims: output.shape };
}

export const ARITHMETIC_OPERATORS: Operators = {
  Add: arithmetic('add'),
  Sub: arithmetic('subtract'),
  Mul: arithmetic('multiply'),
  Div: arithmetic('divide'),
  Sum: combination('add'),
  Max: combination('maximum'),
  Min: combination('minimum'),
  Concat: concat,
};
