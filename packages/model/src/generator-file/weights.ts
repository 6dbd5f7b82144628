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

let table: Float32Array | undefined;

/** The float32 of each of the 65,536 float16 bit patterns. */
export function float16Table(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return table;
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

/** The float16 nearest to a number, ties to even (IEEE 754); overflow gives infinity. */
function float16Bits(value: number): number {
  wordAsFloat[0] = value;
  const bits = word[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  const scaled = Math.abs(wordAsFloat[0]!);
  const exponent = Math.max(-14, (magnitude >>> 23) - 127);
  const steps = roundHalfEven(scaled * 2 ** (10 - exponent));
  // A step count of 2048 carries into the exponent by itself, since fields are added, not or-ed.
  return sign | Math.min(0x7c00, steps + ((exponent + 14) << 10));
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor + (floor & 1);
}
