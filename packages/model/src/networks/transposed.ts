/**
 * A transposed convolution without its naive kernel: each output phase of stride s is an ordinary
 * convolution of the input with every s-th row and column of the kernel; the phases are then
 * interleaved. With stride 1 that is one convolution with the flipped kernel.
 *
 * @module
 */
import type * as tf from '@tensorflow/tfjs-core';

/** One output phase: an ordinary stride-1 convolution with explicit padding. */
export interface TransposedPhase {
  /** `[rows, columns, channelsIn, channelsOut]`, flat. */
  kernel: Float32Array;
  kernelShape: [number, number, number, number];
  padding: tf.backend_util.ExplicitPadding;
}

/**
 * The stride² phases of a transposed convolution with `same` padding, ordered by row, then column.
 *
 * @param kernel `[size, size, channelsIn, channelsOut]`: Keras's `[size, size, out, in]` with its
 *   last axes exchanged ({@link exchangeChannels})
 * @param strides at most the kernel's size, so that no phase is empty.
 */
export function transposedPhases(
  kernel: Float32Array,
  [size, , channelsIn, channelsOut]: readonly [number, number, number, number],
  strides: number,
): TransposedPhase[] {
  const taps = axisTaps(size, strides);
  const block = channelsIn * channelsOut;
  return taps.flatMap((rows) =>
    taps.map((columns) => {
      const phase = new Float32Array(rows.taps.length * columns.taps.length * block);
      rows.taps.forEach((row, i) => {
        columns.taps.forEach((column, j) => {
          const from = (row * size + column) * block;
          phase.set(kernel.subarray(from, from + block), (i * columns.taps.length + j) * block);
        });
      });
      return {
        kernel: phase,
        kernelShape: [rows.taps.length, columns.taps.length, channelsIn, channelsOut],
        padding: [[0, 0], rows.padding, columns.padding, [0, 0]],
      };
    }),
  );
}

/**
 * Along one axis, output s·q + p sums input q + e times tap p + before − s·e, for every e with a
 * tap; `before` is what TensorFlow's `same` padding puts before the first pixel.
 */
function axisTaps(
  size: number,
  strides: number,
): { taps: number[]; padding: [before: number, after: number] }[] {
  const before = Math.floor(Math.max(size - strides, 0) / 2);
  return Array.from({ length: strides }, (_, phase) => {
    const first = -Math.floor((size - 1 - phase - before) / strides);
    const last = Math.floor((phase + before) / strides);
    const taps = Array.from(
      { length: last - first + 1 },
      (_, i) => phase + before - strides * (first + i),
    );
    return { taps, padding: [-first, last] };
  });
}

/** `[size, size, a, b]` → `[size, size, b, a]`, flat. */
export function exchangeChannels(
  kernel: Float32Array,
  [rows, columns, a, b]: readonly [number, number, number, number],
): Float32Array {
  const exchanged = new Float32Array(kernel.length);
  for (let tap = 0; tap < rows * columns; tap++) {
    for (let i = 0; i < a; i++) {
      for (let j = 0; j < b; j++) {
        exchanged[(tap * b + j) * a + i] = kernel[(tap * a + i) * b + j]!;
      }
    }
  }
  return exchanged;
}
