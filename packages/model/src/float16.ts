/**
 * Numbers of 16 bits, IEEE 754 binary16, as bits and as float32.
 *
 * @module
 */

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
export function float16Bits(value: number): number {
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
