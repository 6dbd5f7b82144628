import { float16Table } from '../float16.ts';
import type { HostWeight } from '../generator-file/weights.ts';

/** Units worked on at a time: their sums and one row of weights stay in the first-level cache. */
const BLOCK = 4096;

/**
 * A Dense layer without its activation, scale · (latents · kernel) + bias, multiplied straight from the stored encoding: at batch 1
 * each weight is used once, so decoding it first would only cost memory.
 *
 * The sums are float32, added in the order of the inputs: the same bits in every runtime.
 *
 * @param options.latents `[count, inputs]`, flat
 * @param options.kernel `[inputs, units]`
 * @param options.scale `[units]`
 * @returns `[count, units]`, flat
 */
export function denseOnHost({
  latents,
  count,
  kernel,
  scale,
  bias,
}: {
  latents: Float32Array;
  count: number;
  kernel: HostWeight;
  scale?: Float32Array | undefined;
  bias: Float32Array;
}): Float32Array<ArrayBuffer> {
  const units = bias.length;
  const inputs = latents.length / count;
  const sums = new Float32Array(count * units);
  const decode = kernel.encoding === 'float16' ? float16Table() : undefined;
  for (let start = 0; start < units; start += BLOCK) {
    const end = Math.min(units, start + BLOCK);
    for (let n = 0; n < count; n++) {
      const block = sums.subarray(n * units + start, n * units + end);
      for (let i = 0; i < inputs; i++) {
        const latent = latents[n * inputs + i]!;
        const row = kernel.values.subarray(i * units + start, i * units + end);
        if (decode) addScaledFloat16(block, row, latent, decode);
        else addScaled(block, row, latent);
      }
    }
  }
  const scales = unitScales(kernel, scale);
  for (let n = 0; n < count; n++) {
    const row = sums.subarray(n * units, (n + 1) * units);
    for (let j = 0; j < units; j++) row[j] = row[j]! * (scales ? scales[j]! : 1) + bias[j]!;
  }
  return sums;
}

/** What the sums are multiplied by: the int8 steps and `scale` together. */
export function unitScales(
  kernel: HostWeight,
  scale: Float32Array | undefined,
): Float32Array | undefined {
  if (kernel.encoding !== 'int8') return scale;
  return scale ? kernel.scales.map((step, j) => step * scale[j]!) : kernel.scales;
}

type Row = HostWeight['values'];

function addScaled(sums: Float32Array, row: Row, factor: number): void {
  for (let j = 0; j < sums.length; j++) sums[j]! += row[j]! * factor;
}

function addScaledFloat16(
  sums: Float32Array,
  row: Row,
  factor: number,
  decode: Float32Array,
): void {
  for (let j = 0; j < sums.length; j++) sums[j]! += decode[row[j]!]! * factor;
}
