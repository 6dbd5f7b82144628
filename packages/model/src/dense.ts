import type { Activation } from './layers.ts';
import { float16Table, type HostWeight } from './weights.ts';

/** Units worked on at a time: their sums and one row of weights stay in the first-level cache. */
const BLOCK = 4096;

/**
 * A Dense layer without its activation, multiplied straight from the stored encoding: at batch 1
 * each weight is used once, so decoding it first would only cost memory.
 *
 * The sums are float32, added in the order of the inputs: the same bits in every runtime.
 *
 * @param options.latents `[count, inputs]`, flat
 * @param options.kernel `[inputs, units]`
 * @returns `[count, units]`, flat
 */
export function denseOnHost({
  latents,
  count,
  kernel,
  bias,
}: {
  latents: Float32Array;
  count: number;
  kernel: HostWeight;
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
  const scales = kernel.encoding === 'int8' ? kernel.scales : undefined;
  for (let n = 0; n < count; n++) {
    const row = sums.subarray(n * units, (n + 1) * units);
    for (let j = 0; j < units; j++) row[j] = row[j]! * (scales ? scales[j]! : 1) + bias[j]!;
  }
  return sums;
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

/** An activation in place, on the host. */
export function activateOnHost(values: Float32Array, activation: Activation): void {
  const apply = HOST_ACTIVATIONS[activation];
  for (let i = 0; i < values.length; i++) values[i] = apply(values[i]!);
}

const HOST_ACTIVATIONS: Record<Activation, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};
