/**
 * Kernels in the order in which the loops read them.
 *
 * @module
 */

/** Output channels of a panel; images of 3 channels have a tile of 4 of their own (assembly/tile.ts). */
const panelWidth = (outputs: number) => (outputs <= 4 ? 4 : 8);

/** `[matrices, terms, outputs]` */
export type Matrices = readonly [number, number, number];

/** How many numbers {@link packPanels} writes. */
export const packedLength = (
  [matrices, terms, outputs]: Matrices,
  width = panelWidth(outputs),
): number => matrices * terms * Math.ceil(outputs / width) * width;

/**
 * Matrices `[matrices, terms, outputs]` as panels `[matrices, outputs / 8, terms, 8]`, the last one
 * filled up with zeros; panels of 4 when there are no more outputs than that.
 * @param packed where they go.
 */
export function packPanels(
  kernel: Float32Array,
  [matrices, terms, outputs]: Matrices,
  packed: Float32Array,
  width = panelWidth(outputs),
): void {
  const panels = Math.ceil(outputs / width);
  packed.fill(0);
  let to = 0;
  for (let m = 0; m < matrices; m++) {
    for (let p = 0; p < panels; p++) {
      for (let k = 0; k < terms; k++, to += width) {
        const from = (m * terms + k) * outputs;
        const start = from + p * width;
        packed.set(kernel.subarray(start, Math.min(start + width, from + outputs)), to);
      }
    }
  }
}

/**
 * Along one axis: the taps of the 3-kernel that a product's kernel is made of. The image itself takes
 * the sum of all; the difference to the pixel before takes −k₀, the one to the pixel after k₂
 * (assembly/upsample-convolve.ts has the derivation).
 */
const SUM = [1, 1, 1];
const BEFORE = [-1, 0, 0];
const AFTER = [0, 0, 1];

/** [rows, columns] of each of the nine products, in the order of assembly/upsample-convolve.ts. */
const PRODUCTS = [
  [SUM, SUM],
  [SUM, BEFORE],
  [SUM, AFTER],
  [BEFORE, SUM],
  [AFTER, SUM],
  [BEFORE, BEFORE],
  [BEFORE, AFTER],
  [AFTER, BEFORE],
  [AFTER, AFTER],
] as const;

/** The nine matrices `[9, channels, outputs]` of an upsampled convolution's `[3, 3, channels, outputs]`. */
export function upsampleKernels<Values extends Float32Array | Int16Array>(
  kernel: Values,
  [, , channels, outputs]: readonly [number, number, number, number],
  matrices: Values,
): Values {
  const size = channels * outputs;
  PRODUCTS.forEach(([rows, columns], m) => {
    const matrix = matrices.subarray(m * size, (m + 1) * size);
    rows.forEach((rowFactor, i) => {
      columns.forEach((columnFactor, j) => {
        const factor = rowFactor * columnFactor;
        if (factor === 0) return;
        const tap = kernel.subarray((3 * i + j) * size, (3 * i + j + 1) * size);
        for (let k = 0; k < size; k++) matrix[k]! += factor * tap[k]!;
      });
    });
  });
  return matrices;
}

/** An integer kernel: `values / scales[output]` is the kernel, as near as integers come. */
export interface IntegerKernel {
  values: Int16Array;
  /** `[outputs]`, what one step of an output channel's values is worth. */
  scales: Float32Array;
}

/** As in assembly/quantize.ts: the largest magnitude of a rounded activation. */
const LARGEST_ACTIVATION = 4095;
const LARGEST_INT16 = 2 ** 15 - 1;
const LARGEST_INT32 = 2 ** 31 - 1;

/**
 * Rounds the kernel of each output channel to int16, as finely as its sums then still fit int32: for
 * activations of at most 4095 the sum of the magnitudes is at most 2³¹ / 4095.
 * @param kernel `[terms, outputs]`
 * @param added how many terms {@link upsampleKernels} adds up to one number of int16; 1 for a plain convolution
 */
export function roundKernel(kernel: Float32Array, outputs: number, added = 1): IntegerKernel {
  const terms = kernel.length / outputs;
  const values = new Int16Array(kernel.length);
  const scales = new Float32Array(outputs).fill(1);
  // Rounding may add half a step to each term.
  const room = LARGEST_INT32 / LARGEST_ACTIVATION - terms / 2;
  for (let output = 0; output < outputs; output++) {
    let sum = 0;
    let most = 0;
    for (let i = output; i < kernel.length; i += outputs) {
      const magnitude = Math.abs(kernel[i]!);
      sum += magnitude;
      most = Math.max(most, magnitude);
    }
    if (sum === 0) continue;
    const steps = Math.min(room / sum, (LARGEST_INT16 / added - 1) / most);
    scales[output] = 1 / steps;
    for (let i = output; i < kernel.length; i += outputs) {
      values[i] = Math.round(kernel[i]! * steps);
    }
  }
  return { values, scales };
}

/** How many numbers {@link packPairs} writes. */
export const packedPairsLength = (
  [matrices, terms, outputs]: Matrices,
  channels: number,
  width = panelWidth(outputs),
): number =>
  (matrices * terms * 2 * Math.ceil(channels / 2) * Math.ceil(outputs / width) * width) / channels;

/**
 * Integer matrices `[matrices, terms, outputs]` as panels of pairs of terms
 * `[matrices, outputs / 8, terms / 2, 8, 2]`, as the integer tiles read them.
 * @param channels of a pixel: each has its own pairs, the last one filled up with zero where they are odd.
 */
export function packPairs(
  kernel: Int16Array,
  [matrices, terms, outputs]: Matrices,
  channels: number,
  packed: Int16Array,
  width = panelWidth(outputs),
): void {
  packed.fill(0);
  const panels = Math.ceil(outputs / width);
  const pairs = Math.ceil(channels / 2);
  let to = 0;
  for (let m = 0; m < matrices; m++) {
    for (let p = 0; p < panels; p++) {
      const columns = Math.min(width, outputs - p * width);
      for (let tap = 0; tap < terms / channels; tap++) {
        for (let pair = 0; pair < pairs; pair++, to += 2 * width) {
          for (const half of [0, 1]) {
            const channel = 2 * pair + half;
            if (channel === channels) continue;
            const from = (m * terms + tap * channels + channel) * outputs + p * width;
            for (let c = 0; c < columns; c++) packed[to + 2 * c + half] = kernel[from + c]!;
          }
        }
      }
    }
  }
}
