/**
 * Batch normalization and sums by channel: the threads reduce chunks of rows in single precision,
 * the chunks are added here in double, in their order.
 *
 * @module
 */
import { product } from '@killme/model';
import type * as tf from '@tensorflow/tfjs-core';
import type { Heap } from './heap.ts';

/** Rows (pixels) of a chunk. */
const CHUNK = 256;

/** `[…, channels]` → `[channels]` */
export function columnSums(heap: Heap, x: tf.TensorInfo): tf.TensorInfo {
  const { rows, channels, chunks } = rowsOf(x);
  const partial = heap.reserve('partials', chunks * channels * 4);
  heap.threads.run('columnSums', heap.address(x), rows, channels, CHUNK, partial);
  const result = heap.output([channels]);
  const sums = addChunks(heap, partial, chunks, channels);
  heap.floats(heap.address(result), channels).set(sums);
  return result;
}

/** See `batchNormTrain` of @killme/model. @returns y, mean, variance. */
export function batchNorm(
  heap: Heap,
  x: tf.TensorInfo,
  gamma: tf.TensorInfo,
  beta: tf.TensorInfo,
  epsilon: number,
): tf.TensorInfo[] {
  const { rows, channels } = rowsOf(x);
  const [y, mean, variance] = [x.shape, [channels], [channels]].map(heap.output);
  const table = heap.reserve('table', 3 * channels * 4);
  const statistics = batchStatistics(heap, x);
  const of = (tensor: tf.TensorInfo) => heap.floats(heap.address(tensor), channels);
  of(mean!).set(statistics.mean);
  of(variance!).set(statistics.variance);
  const scale = of(gamma).map((g, c) => g / Math.sqrt(of(variance!)[c]! + epsilon));
  heap.floats(table, 3 * channels).set([...of(mean!), ...scale, ...of(beta)]);
  heap.threads.run('normalize', heap.address(x), table, heap.address(y!), rows, channels);
  return [y!, mean!, variance!];
}

/** Means and variances of chunks, joined by Chan et al.'s formula. */
function batchStatistics(heap: Heap, x: tf.TensorInfo) {
  const { rows, channels, chunks } = rowsOf(x);
  const means = heap.reserve('partials', 2 * chunks * channels * 4);
  const squares = means + chunks * channels * 4;
  heap.threads.run('columnStatistics', heap.address(x), rows, channels, CHUNK, means, squares);
  const meanOf = heap.floats(means, chunks * channels);
  const squareOf = heap.floats(squares, chunks * channels);
  const mean = new Float64Array(channels);
  const square = new Float64Array(channels);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const before = chunk * CHUNK;
    const count = Math.min(CHUNK, rows - before);
    for (let c = 0; c < channels; c++) {
      const i = chunk * channels + c;
      const difference = meanOf[i]! - mean[c]!;
      mean[c]! += (difference * count) / (before + count);
      square[c]! += squareOf[i]! + (difference * difference * before * count) / (before + count);
    }
  }
  return { mean, variance: square.map((value) => value / rows) };
}

/**
 * With d = x − mean and s = 1 / √(variance + ε):
 * dx = γs · (dy − (Σdy + d · s² · Σ(dy · d)) / rows), dγ = s · Σ(dy · d), dβ = Σdy.
 * @returns dx, dγ, dβ.
 */
export function batchNormGradients(
  heap: Heap,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  gamma: tf.TensorInfo,
  mean: tf.TensorInfo,
  variance: tf.TensorInfo,
  epsilon: number,
): tf.TensorInfo[] {
  const { rows, channels, chunks } = rowsOf(x);
  const [dx, dgamma, dbeta] = [x.shape, [channels], [channels]].map(heap.output);
  const table = heap.reserve('table', 4 * channels * 4);
  const sums = heap.reserve('partials', 2 * chunks * channels * 4);
  const products = sums + chunks * channels * 4;
  const from = [dy, x, mean].map(heap.address);
  heap.threads.run('normalizeGradientSums', ...from, rows, channels, CHUNK, sums, products);
  const sum = addChunks(heap, sums, chunks, channels);
  const dot = addChunks(heap, products, chunks, channels);
  const of = (tensor: tf.TensorInfo) => heap.floats(heap.address(tensor), channels);
  const inverse = Float64Array.from(of(variance), (v) => 1 / Math.sqrt(v + epsilon));
  of(dbeta!).set(sum);
  of(dgamma!).set(dot.map((value, c) => value * inverse[c]!));
  const a = inverse.map((s, c) => s * of(gamma)[c]!);
  const b = a.map((value, c) => (-value * inverse[c]! ** 2 * dot[c]!) / rows);
  const offset = a.map((value, c) => (-value * sum[c]!) / rows);
  heap.floats(table, 4 * channels).set([...of(mean), ...a, ...b, ...offset]);
  const addresses = [heap.address(dy), heap.address(x), table, heap.address(dx!)];
  heap.threads.run('normalizeGradient', ...addresses, rows, channels);
  return [dx!, dgamma!, dbeta!];
}

function addChunks(heap: Heap, partial: number, chunks: number, channels: number): Float64Array {
  const from = heap.floats(partial, chunks * channels);
  const sums = new Float64Array(channels);
  for (let chunk = 0; chunk < chunks; chunk++) {
    for (let c = 0; c < channels; c++) sums[c]! += from[chunk * channels + c]!;
  }
  return sums;
}

function rowsOf({ shape }: tf.TensorInfo) {
  const channels = shape.at(-1)!;
  const rows = product(shape) / channels;
  return { rows, channels, chunks: Math.ceil(rows / CHUNK) };
}
