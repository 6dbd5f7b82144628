/**
 * Kernels in the order in which the loops read them.
 *
 * @module
 */

/** Output channels of a panel; images of 3 channels have a tile of 4 of their own (tile.as). */
const panelWidth = (outputs: number) => (outputs <= 4 ? 4 : 8);

/** `[matrices, terms, outputs]` */
type Matrices = readonly [number, number, number];

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
 * (upsample-convolve.as has the derivation).
 */
const SUM = [1, 1, 1];
const BEFORE = [-1, 0, 0];
const AFTER = [0, 0, 1];

/** [rows, columns] of each of the nine products, in the order of upsample-convolve.as. */
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
export function upsampleKernels(
  kernel: Float32Array,
  [, , channels, outputs]: readonly [number, number, number, number],
): Float32Array {
  const size = channels * outputs;
  const matrices = new Float32Array(9 * size);
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
