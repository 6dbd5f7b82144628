/**
 * Operators on each number by itself.
 *
 * @module
 */
import type { Tensor } from '../values.ts';
import {
  accept,
  float,
  numbersAt,
  type Operator,
  type Operators,
  type Reading,
  required,
  same,
  tensorAt,
  text,
} from './reading.ts';

const elementwise = (
  name: 'selu' | 'softplus' | 'softsign' | 'mish' | 'exp' | 'erf' | 'hardSilu',
) => same(() => ({ type: 'elementwise', function: name }));

const pass: Operator = ({ inputs }) => inputs[0]!;

function clip(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  const low = numbersAt(reading, 1)?.[0] ?? -3.4e38;
  const high = numbersAt(reading, 2)?.[0] ?? 3.4e38;
  return {
    output: reading.builder.add({ type: 'elementwise', function: 'clip', low, high }, output),
    dims,
  };
}

function pRelu(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  const alpha = Float32Array.from(required(reading, 1).values);
  accept(
    alpha.length === 1 || alpha.length === dims[0],
    `slopes of [${required(reading, 1).dims}]`,
  );
  const shape = [...(dims.length === 3 ? [1, 1] : []), alpha.length];
  return { output: reading.builder.add({ type: 'pRelu', shape }, output, { alpha }), dims };
}

export const POINTWISE_OPERATORS: Operators = {
  Relu: same(() => ({ type: 'activation', activation: 'relu' })),
  Tanh: same(() => ({ type: 'activation', activation: 'tanh' })),
  Sigmoid: same(() => ({ type: 'activation', activation: 'sigmoid' })),
  LeakyRelu: same((reading) => ({ type: 'leakyRelu', alpha: float(reading, 'alpha', 0.01) })),
  Elu: same((reading) => ({
    type: 'elementwise',
    function: 'elu',
    alpha: float(reading, 'alpha', 1),
  })),
  HardSigmoid: same((reading) => ({
    ...{ type: 'elementwise', function: 'hardSigmoid' },
    ...{ slope: float(reading, 'alpha', 0.2), offset: float(reading, 'beta', 0.5) },
  })),
  Gelu: same((reading) => ({
    type: 'elementwise',
    function: text(reading, 'approximate', 'none') === 'tanh' ? 'geluTanh' : 'gelu',
  })),
  Selu: elementwise('selu'),
  Softplus: elementwise('softplus'),
  Softsign: elementwise('softsign'),
  HardSwish: elementwise('hardSilu'),
  Mish: elementwise('mish'),
  Exp: elementwise('exp'),
  Erf: elementwise('erf'),
  Neg: same(() => ({ type: 'rescaling', scale: -1, offset: 0 })),
  Clip: clip,
  PRelu: pRelu,
  Identity: pass,
  Dropout: pass,
  Cast: pass,
};
