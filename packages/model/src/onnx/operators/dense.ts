import type { Tensor } from '../values.ts';
import {
  accept,
  float,
  integer,
  numbersAt,
  type Operators,
  type Reading,
  required,
  tensorAt,
} from './reading.ts';

function gemm(reading: Reading): Tensor {
  const x = tensorAt(reading, 0);
  const weight = required(reading, 1);
  const [rows, columns] = weight.dims as [number, number];
  const flipped = integer(reading, 'transB', 0) === 1;
  accept(integer(reading, 'transA', 0) === 0, 'transA');
  const alpha = float(reading, 'alpha', 1);
  const beta = float(reading, 'beta', 1);
  const [inputs, units] = flipped ? [columns, rows] : [rows, columns];
  const kernel = new Float32Array(rows * columns);
  for (let i = 0; i < inputs; i++) {
    for (let j = 0; j < units; j++) {
      kernel[i * units + j] = alpha * weight.values[flipped ? j * inputs + i : i * units + j]!;
    }
  }
  const bias = spread(numbersAt(reading, 2), units)?.map((value) => beta * value);
  return dense(reading, x, { inputs, units, kernel, bias });
}

/** The numbers once for each unit, where there is one for all. */
function spread(values: Float32Array | undefined, units: number): Float32Array | undefined {
  if (!values || values.length === units) return values;
  return new Float32Array(units).fill(values[0]!);
}

function dense(
  { builder }: Reading,
  x: Tensor,
  given: { inputs: number; units: number; kernel: Float32Array; bias?: Float32Array | undefined },
): Tensor {
  const { inputs, units, kernel, bias } = given;
  accept(x.dims.length === 1 && x.dims[0] === inputs, `an input of [${x.dims}], not [${inputs}]`);
  const output = builder.add({ type: 'dense', units }, x.output, { kernel, bias });
  return { output, dims: [units] };
}

function matMul(reading: Reading): Tensor {
  const { dims, values } = required(reading, 1);
  const [inputs, units] = dims as [number, number];
  const kernel = Float32Array.from(values);
  return dense(reading, tensorAt(reading, 0), { inputs, units, kernel });
}

export const DENSE_OPERATORS: Operators = { Gemm: gemm, MatMul: matMul };
