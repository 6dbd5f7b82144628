/**
 * A transposed convolution without its naive kernel: each output phase of stride s is an ordinary
 * convolution of the input with every s-th row and column of the kernel; the phases are then
 * interleaved. With stride 1 that is one convolution with the flipped kernel.
 *
 * @module
 */
/** Pixels of a border; negative where pixels at the border are not read. */
export interface Sides {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** One output phase: an ordinary stride-1 convolution with explicit padding. */
export interface TransposedPhase {
  /** `[rows, columns, channelsIn, channelsOut]`, flat. */
  kernel: Float32Array;
  kernelShape: readonly [number, number, number, number];
  padding: Sides;
  /** Its first pixel in the output. */
  start: readonly [row: number, column: number];
  /** Of its output. */
  size: readonly [rows: number, columns: number];
}

/** What {@link transposedPhases} takes apart. */
export interface TransposedConvolution {
  /** `[rows, columns, channelsIn, channelsOut]`: Keras's `[rows, columns, out, in]` with its last axes exchanged ({@link exchangeChannels}) */
  kernel: Float32Array;
  kernelShape: readonly [number, number, number, number];
  /** Along rows and columns. */
  strides: readonly [number, number];
  /** Rows and columns of the whole sum that lie before the output. */
  cropped: readonly [number, number];
  /** `[height, width, …]` */
  input: readonly number[];
  output: readonly number[];
}

/** The phases of a transposed convolution, one for each row and column of its strides. */
export function transposedPhases({
  kernel,
  kernelShape: [rowTaps, columnTaps, channelsIn, channelsOut],
  strides,
  cropped,
  input,
  output,
}: TransposedConvolution): TransposedPhase[] {
  const axis = (i: 0 | 1, size: number) =>
    axisPhases({
      ...{ size, strides: strides[i], before: cropped[i] },
      ...{ input: input[i]!, output: output[i]! },
    });
  const block = channelsIn * channelsOut;
  return axis(0, rowTaps).flatMap((rows) =>
    axis(1, columnTaps).map((columns) => {
      const phase = new Float32Array(rows.taps.length * columns.taps.length * block);
      rows.taps.forEach((row, i) => {
        columns.taps.forEach((column, j) => {
          if (row === NO_TAP || column === NO_TAP) return;
          const from = (row * columnTaps + column) * block;
          phase.set(kernel.subarray(from, from + block), (i * columns.taps.length + j) * block);
        });
      });
      return {
        kernel: phase,
        kernelShape: [rows.taps.length, columns.taps.length, channelsIn, channelsOut],
        padding: {
          ...{ top: rows.before, bottom: rows.after },
          ...{ left: columns.before, right: columns.after },
        },
        start: [rows.phase, columns.phase],
        size: [rows.length, columns.length],
      };
    }),
  );
}

/** In the place of a tap, where a phase sees none: kernels may be smaller than their strides. */
const NO_TAP = -1;

/**
 * Along one axis, output s·q + p sums input q + e times tap p + before − s·e, for every e with a
 * tap; `before` is what is cropped before the first pixel.
 */
function axisPhases({
  size,
  strides,
  before,
  input,
  output,
}: Record<'size' | 'strides' | 'before' | 'input' | 'output', number>) {
  return Array.from({ length: strides }, (_, phase) => {
    const first = Math.ceil((phase + before - size + 1) / strides);
    const last = Math.floor((phase + before) / strides);
    const length = Math.ceil((output - phase) / strides);
    if (first > last) return { phase, length, taps: [NO_TAP], before: 0, after: length - input };
    const taps = Array.from(
      { length: last - first + 1 },
      (_, i) => phase + before - strides * (first + i),
    );
    return { phase, length, taps, before: 0 - first, after: length + last - input };
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
