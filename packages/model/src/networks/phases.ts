/**
 * Nearest-neighbour upsampling followed by a 3×3 convolution, without the upsampled image.
 *
 * Each output pixel of the pair sees only 2×2 different input pixels, because upsampling made the
 * others equal. Which ones depends on whether its row and its column are even or odd (its phase), so
 * the pair equals four 2×2 convolutions of the small image, whose kernels are the 3×3 kernel with
 * rows and columns summed in pairs, and whose outputs are interleaved: 4/9 of the multiplications.
 *
 * An even row 2i reads input rows i−1, i, i (taps k₀ | k₁ + k₂); an odd one, 2i+1, reads i, i, i+1
 * (taps k₀ + k₁ | k₂). Columns alike. Zero padding at the border carries over as it is.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';

/** [phase][tap of the 2-kernel][tap of the 3-kernel]. */
const ROW_SUMS = [
  [
    [1, 0, 0],
    [0, 1, 1],
  ],
  [
    [1, 1, 0],
    [0, 0, 1],
  ],
] as const;

/** Explicit padding of one axis for an even and an odd phase: [before, after]. */
const PHASE_PADDING: readonly [number, number][] = [
  [1, 0],
  [0, 1],
];

/** `[16, 9]`: rows are (row phase, column phase, row tap, column tap), columns the 3×3 taps. */
const PHASE_MATRIX = [0, 1].flatMap((p) =>
  [0, 1].flatMap((q) =>
    [0, 1].flatMap((a) =>
      [0, 1].map((b) =>
        [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => ROW_SUMS[p]![a]![i]! * ROW_SUMS[q]![b]![j]!)),
      ),
    ),
  ),
);

/**
 * The four 2×2 kernels of a 3×3 one, ordered (even, even), (even, odd), (odd, even), (odd, odd) as
 * (row, column). Differentiable.
 * @param kernel `[3, 3, channelsIn, channelsOut]`
 * @returns four of `[2, 2, channelsIn, channelsOut]`
 */
export function phaseKernels(kernel: tf.Tensor4D): tf.Tensor4D[] {
  const [, , channelsIn, channelsOut] = kernel.shape;
  return tf.tidy(() => {
    const flat = tf.reshape(kernel, [9, channelsIn * channelsOut]);
    const summed = tf.matMul(tf.tensor2d(PHASE_MATRIX), flat);
    const phases = tf.reshape(summed, [4, 2, 2, channelsIn, channelsOut]);
    return tf.unstack(phases) as tf.Tensor4D[];
  });
}

/**
 * The transpose of {@link phaseKernels}, which is linear: gradients of the four phase kernels to
 * the gradient of the 3×3 kernel.
 */
export function phaseKernelsGradient(gradients: readonly tf.Tensor4D[]): tf.Tensor4D {
  const [, , channelsIn, channelsOut] = gradients[0]!.shape;
  return tf.tidy(() => {
    const flat = tf.reshape(tf.stack([...gradients]), [16, channelsIn * channelsOut]);
    const summed = tf.matMul(tf.tensor2d(PHASE_MATRIX), flat, true);
    return tf.reshape(summed, [3, 3, channelsIn, channelsOut]);
  });
}

/** The padding of phase `index` (order as in {@link phaseKernels}) for tfjs's explicit `pad`. */
export function phasePadding(index: number): tf.backend_util.ExplicitPadding {
  const rows = PHASE_PADDING[index >> 1]!;
  const columns = PHASE_PADDING[index & 1]!;
  return [[0, 0], rows, columns, [0, 0]];
}

/**
 * Puts the four phases in their places.
 * @param phases four of `[batch, height, width, channels]`, ordered as in {@link phaseKernels}
 * @returns `[batch, 2 · height, 2 · width, channels]`
 */
export const interleavePhases = (phases: readonly tf.Tensor4D[]): tf.Tensor4D =>
  interleave(phases, [2, 2]);

/**
 * Puts phases in their places: pixel (s·i + p, t·j + q) is pixel (i, j) of phase t·p + q.
 * @param phases s · t of `[batch, height, width, channels]`
 * @param strides `[s, t]`
 * @returns `[batch, s · height, t · width, channels]`
 */
export function interleave(
  phases: readonly tf.Tensor4D[],
  [s, t]: readonly [number, number],
): tf.Tensor4D {
  if (phases.length === 1) return phases[0]!;
  const [batch, height, width, channels] = phases[0]!.shape;
  return tf.tidy(() => {
    // Columns next to each other on the channel axis are neighbours in memory once that axis is split.
    const rows = Array.from({ length: s }, (_, p) =>
      tf.reshape(tf.concat(phases.slice(t * p, t * (p + 1)), 3), [
        batch,
        height,
        t * width,
        channels,
      ]),
    );
    return tf.reshape(tf.concat(rows, 2), [batch, s * height, t * width, channels]);
  });
}
