/**
 * `UpsampleConv2D` and its gradients as plans: the four phases read one small padded image and
 * write their places of the large one, so nothing is stacked, sliced or interleaved.
 *
 * @module
 */
import type * as tf from '@tensorflow/tfjs-core';
import { imageSize, pack, panelBytes, runConvolve, runGradient } from './convolution.ts';
import type { Heap } from './heap.ts';

/** [phase][tap of the 2-kernel]: the taps of the 3-kernel that it stands for (see phases.ts). */
const SUMS = [
  [[0], [1, 2]],
  [[0, 1], [2]],
] as const;

/** Phase and its tap that join each row (or column) 2i − 1 … 2i + 2 of dy with row i of x. */
const BACK_TAPS = [
  [1, 1],
  [0, 1],
  [1, 0],
  [0, 0],
] as const;

const PHASES = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;

type Shape4D = [number, number, number, number];

/** @returns `[n, 2h, 2w, outputs]` from x `[n, h, w, channels]`, filter `[3, 3, channels, outputs]`. */
export function upsampleConvolution(
  heap: Heap,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
): tf.TensorInfo {
  const [images, height, width, channels] = x.shape as Shape4D;
  const outputs = filter.shape[3]!;
  const y = heap.output([images, 2 * height, 2 * width, outputs]);
  const size = 4 * channels * outputs;
  const summed = heap.reserve('summed', 4 * size * 4);
  const each = panelBytes(4 * channels, outputs);
  const w = heap.reserve('kernel', 4 * each);
  for (const [i, [p, q]] of PHASES.entries()) {
    const source = summed + i * size * 4;
    sumTaps(heap, filter, source, SUMS[p], SUMS[q]);
    const strides = [2 * channels * outputs, channels * outputs, outputs, 1] as const;
    pack(heap, w + i * each, [2, 2, channels, outputs], { source, strides });
  }
  const target = { address: heap.address(y), channels: outputs, size: imageSize(y) };
  runConvolve(
    heap,
    smallImage(heap, x),
    target,
    phasesOf(x, outputs, (i) => w + i * each),
  );
  return y;
}

/** @returns the gradients to x and to the filter. */
export function upsampleConvolutionGradients(
  heap: Heap,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
): [tf.TensorInfo, tf.TensorInfo] {
  return [gradientOfImage(heap, dy, x, filter), gradientOfFilter(heap, dy, x, filter)];
}

/** A convolution of dy with stride 2 and a kernel of 4×4. */
function gradientOfImage(heap: Heap, dy: tf.TensorInfo, x: tf.TensorInfo, filter: tf.TensorInfo) {
  const [, height, width, channels] = x.shape as Shape4D;
  const outputs = filter.shape[3]!;
  const taps = BACK_TAPS.map(([phase, tap]) => SUMS[phase][tap]);
  const source = heap.reserve('summed', 16 * channels * outputs * 4);
  sumTaps(heap, filter, source, taps, taps);
  const w = heap.reserve('kernel', panelBytes(16 * outputs, channels));
  const strides = [4 * channels * outputs, channels * outputs, 1, outputs] as const;
  pack(heap, w, [4, 4, outputs, channels], { source, strides });
  const dx = heap.output(x.shape);
  runConvolve(
    heap,
    { ...smallImage(heap, dy), strideH: 2, strideW: 2 },
    { address: heap.address(dx), channels, size: imageSize(dx) },
    [
      {
        ...{ kernelH: 4, kernelW: 4, offsetH: 0, offsetW: 0, rows: height, columns: width, w },
        ...{ yStart: 0, yRow: width * channels, yColumn: channels },
      },
    ],
  );
  return dx;
}

function gradientOfFilter(heap: Heap, dy: tf.TensorInfo, x: tf.TensorInfo, filter: tf.TensorInfo) {
  const channels = x.shape[3]!;
  const outputs = filter.shape[3]!;
  const tap = channels * outputs;
  const result = heap.output(filter.shape);
  const ofPhases = heap.reserve('summed', 16 * tap * 4);
  const target = { address: heap.address(dy), channels: outputs, size: imageSize(dy) };
  const phases = phasesOf(x, outputs, (i) => i * 4 * tap);
  runGradient(heap, smallImage(heap, x), target, phases, 16 * tap, ofPhases);
  // The transpose of summing taps: each 3-tap gets the gradients of all 2-taps it went into.
  const from = heap.floats(ofPhases, 16 * tap);
  const to = heap.floats(heap.address(result), 9 * tap).fill(0);
  for (const [i, [p, q]] of PHASES.entries()) {
    for (const [a, rows] of SUMS[p].entries()) {
      for (const [b, columns] of SUMS[q].entries()) {
        const start = ((i * 2 + a) * 2 + b) * tap;
        for (const row of rows) {
          for (const column of columns) {
            addTo(to, (row * 3 + column) * tap, from, start, tap);
          }
        }
      }
    }
  }
  return result;
}

/** The small image, with a border of one pixel of zeros. */
function smallImage(heap: Heap, x: tf.TensorInfo) {
  const image = { address: heap.address(x), shape: x.shape };
  return { ...image, padTop: 1, padLeft: 1, strideH: 1, strideW: 1 };
}

function phasesOf(x: tf.TensorInfo, outputs: number, w: (phase: number) => number) {
  const [, height, width] = x.shape as Shape4D;
  return PHASES.map(([p, q], i) => ({
    ...{ kernelH: 2, kernelW: 2, offsetH: p, offsetW: q, rows: height, columns: width, w: w(i) },
    ...{ yStart: (p * 2 * width + q) * outputs, yRow: 4 * width * outputs, yColumn: 2 * outputs },
  }));
}

/** A kernel whose tap (i, j) is the sum of the filter's taps rows[i] × columns[j]. */
function sumTaps(
  heap: Heap,
  filter: tf.TensorInfo,
  target: number,
  rows: readonly (readonly number[])[],
  columns: readonly (readonly number[])[],
): void {
  const tap = filter.shape[2]! * filter.shape[3]!;
  const from = heap.floats(heap.address(filter), 9 * tap);
  const to = heap.floats(target, rows.length * columns.length * tap).fill(0);
  for (const [i, rowTaps] of rows.entries()) {
    for (const [j, columnTaps] of columns.entries()) {
      for (const row of rowTaps) {
        for (const column of columnTaps) {
          addTo(to, (i * columns.length + j) * tap, from, (row * 3 + column) * tap, tap);
        }
      }
    }
  }
}

function addTo(
  to: Float32Array,
  toStart: number,
  from: Float32Array,
  fromStart: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) to[toStart + i]! += from[fromStart + i]!;
}
