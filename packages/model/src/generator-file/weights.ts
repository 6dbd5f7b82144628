import { float16Bits, float16Table } from '../float16.ts';

/**
 * A weight tensor on the host as a generator file stores it.
 * - `float32`: the numbers themselves.
 * - `float16`: IEEE 754 binary16, as bits.
 * - `int8`: number = value × scales[channel], the channel being the index on the last axis.
 */
export type HostWeight =
  | { encoding: 'float32'; shape: readonly number[]; values: Float32Array }
  | { encoding: 'float16'; shape: readonly number[]; values: Uint16Array }
  | { encoding: 'int8'; shape: readonly number[]; values: Int8Array; scales: Float32Array };

export type Encoding = HostWeight['encoding'];

/** Weights of a network by name (`conv2d_1/kernel`). */
export type HostWeights = ReadonlyMap<string, HostWeight>;

/**
 * Room for the stored numbers of a tensor. A wasm memory gets another buffer when it grows, so the
 * buffer is to be asked for each time.
 */
export interface Room {
  readonly buffer: ArrayBuffer;
  /** Where it begins in the buffer; a multiple of 4. */
  readonly address: number;
}

/** An array of its own. */
export const hostRoom = (bytes: number): Room => ({ buffer: new ArrayBuffer(bytes), address: 0 });

/** Stores float32 numbers under an encoding; int8 is symmetric, one scale a last-axis channel. */
export function encodeWeight(
  values: Float32Array,
  shape: readonly number[],
  encoding: Encoding,
): HostWeight {
  switch (encoding) {
    case 'float32':
      return { encoding, shape, values };
    case 'float16':
      return { encoding, shape, values: Uint16Array.from(values, float16Bits) };
    case 'int8':
      return encodeInt8(values, shape);
  }
}

/** The float32 numbers of a stored weight; a new array unless it is float32 already. */
export function decodeWeight(weight: HostWeight): Float32Array {
  switch (weight.encoding) {
    case 'float32':
      return weight.values;
    case 'float16': {
      const table = float16Table();
      const { values } = weight;
      return fill(values.length, (i) => table[values[i]!]!);
    }
    case 'int8': {
      const { values, scales } = weight;
      return fill(values.length, (i) => values[i]! * scales[i % scales.length]!);
    }
  }
}

/** Float32Array.from would first make a list of all numbers. */
function fill(length: number, numberAt: (index: number) => number): Float32Array {
  const numbers = new Float32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = numberAt(i);
  return numbers;
}

function encodeInt8(values: Float32Array, shape: readonly number[]): HostWeight {
  const channels = shape.at(-1) ?? 1;
  const scales = new Float32Array(channels);
  for (let i = 0; i < values.length; i++) {
    const channel = i % channels;
    scales[channel] = Math.max(scales[channel]!, Math.abs(values[i]!) / 127);
  }
  const rounded = Int8Array.from(values, (value, i) => {
    const scale = scales[i % channels]!;
    return scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(value / scale)));
  });
  return { encoding: 'int8', shape, values: rounded, scales };
}
