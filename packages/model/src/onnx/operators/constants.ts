/**
 * Operators on shapes and other constants, worked out while a file is read: exporters write them
 * where a program asks a tensor for its shape.
 *
 * @module
 */
import { product } from '../../networks/layers.ts';
import type { Constant } from '../model.ts';
import { isTensor, type Value } from '../values.ts';
import type { Reading } from './reading.ts';

const constantsOf = ({ inputs }: Reading): Constant[] =>
  inputs.flatMap((value) => {
    if (!value) return [];
    if (isTensor(value)) throw new Error('an input that is not constant is not known here');
    return [value];
  });

const ints = (values: readonly number[]): Constant => ({ dims: [values.length], values });

/** Of two constants, the second of which may be one number. */
const calculated =
  (calculate: (a: number, b: number) => number) =>
  (reading: Reading): Value => {
    const [a, b] = constantsOf(reading) as [Constant, Constant];
    const [long, dims] = a.values.length >= b.values.length ? [a, a.dims] : [b, b.dims];
    const values = Array.from(long.values, (_, i) =>
      calculate(a.values[i % a.values.length]!, b.values[i % b.values.length]!),
    );
    return { dims, values };
  };

export const CONSTANT_OPERATORS: Readonly<Record<string, (reading: Reading) => Value>> = {
  Constant({ node: { attributes } }) {
    const tensor = attributes.get('value')?.tensor;
    if (tensor) return tensor;
    const numbers = attributes.get('value_ints')?.ints;
    if (numbers) return ints(numbers);
    const number = attributes.get('value_int')?.i ?? attributes.get('value_float')?.f;
    if (number === undefined) throw new Error('a constant of another kind is not known here');
    return { dims: [], values: [number] };
  },
  ConstantOfShape(reading) {
    const [shape] = constantsOf(reading) as [Constant];
    const dims = [...shape.values];
    const value = reading.node.attributes.get('value')?.tensor?.values[0] ?? 0;
    return { dims, values: Array.from({ length: product(dims) }, () => value) };
  },
  Shape({ inputs, batch }) {
    const [value] = inputs as [Value];
    return ints(isTensor(value) ? [batch, ...value.dims] : value.dims);
  },
  Add: calculated((a, b) => a + b),
  Sub: calculated((a, b) => a - b),
  Mul: calculated((a, b) => a * b),
  Div: calculated((a, b) => a / b),
  Gather(reading) {
    const [data, indices] = constantsOf(reading) as [Constant, Constant];
    const values = Array.from(indices.values, (at) => data.values.at(at)!);
    return { dims: indices.dims, values };
  },
  Concat: (reading) => ints(constantsOf(reading).flatMap(({ values }) => [...values])),
  Reshape(reading) {
    const [data, shape] = constantsOf(reading) as [Constant, Constant];
    const known = product([...shape.values].filter((length) => length > 0));
    const dims = [...shape.values].map((n) => (n === -1 ? data.values.length / known : n));
    return { dims, values: data.values };
  },
  Squeeze: (reading) => ({ dims: [], values: constantsOf(reading)[0]!.values }),
  Unsqueeze: (reading) => ints([...constantsOf(reading)[0]!.values]),
  Slice(reading) {
    const [data, starts, ends] = constantsOf(reading) as [Constant, Constant, Constant];
    return ints([...data.values].slice(starts.values[0], ends.values[0]));
  },
};
