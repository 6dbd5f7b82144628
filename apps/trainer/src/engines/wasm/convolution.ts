/**
 * Convolutions and their gradients as plans for the loops `convolve` and `convolveGradient`.
 *
 * All of them are sums over taps of a padded image. A phase is a grid of output positions that see
 * the same taps: a convolution has one; its gradient to the image has one for each remainder of a
 * position by the stride; an upsampled convolution has four (see phases.ts of @killme/model).
 *
 * @module
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Heap } from './heap.ts';

/** Order and meaning of the fields as in simd/assembly/plan.ts. */
interface Phase {
  kernelH: number;
  kernelW: number;
  offsetH: number;
  offsetW: number;
  rows: number;
  columns: number;
  yStart: number;
  yRow: number;
  yColumn: number;
  /** Address of the packed kernel, or place of the gradient in a part. */
  w: number;
}

interface Image {
  address: number;
  /** `[images, height, width, channels]` */
  shape: readonly number[];
  padTop: number;
  padLeft: number;
  strideH: number;
  strideW: number;
}

interface Target {
  address: number;
  channels: number;
  /** Numbers of one image. */
  size: number;
}

/** How a kernel's taps lie in memory, in numbers; see `packPanels`. */
interface Packing {
  source: number;
  strides: readonly [h: number, w: number, channel: number, output: number];
}

/** A block's input rows stay in the second-level cache with the kernel. */
const BLOCK_BYTES = 192 * 1024;

/** Fixed, so that sums are the same with any number of threads. */
const PARTS = 8;

const PHASE_FIELDS = 10;
const PLAN_FIELDS = 22;

/** y = x ∗ filter, for NHWC without dilation. */
export function convolution(
  heap: Heap,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  const [kernelH, kernelW, channels, outputs] = filter.shape as [number, number, number, number];
  const y = heap.output(info.outShape);
  const size = kernelH * kernelW * channels;
  const w = heap.reserve('kernel', panelBytes(size, outputs));
  pack(heap, w, [kernelH, kernelW, channels, outputs], {
    source: heap.address(filter),
    strides: [kernelW * channels * outputs, channels * outputs, outputs, 1],
  });
  const target = { address: heap.address(y), channels: outputs, size: imageSize(y) };
  runConvolve(heap, imageOf(heap, x, info), target, [forwardPhase(info, w)]);
  return y;
}

/** The gradient of {@link convolution} to the filter. */
export function filterGradient(
  heap: Heap,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  const result = heap.output(info.filterShape);
  const target = { address: heap.address(dy), channels: info.outChannels, size: imageSize(dy) };
  const size = info.filterShape.reduce((a, b) => a * b, 1);
  const image = imageOf(heap, x, info);
  runGradient(heap, image, target, [forwardPhase(info, 0)], size, heap.address(result));
  return result;
}

/** The gradient of {@link convolution} to the image. */
export function imageGradient(
  heap: Heap,
  dy: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  const [, height, width, channels] = info.inShape;
  const [kernelH, kernelW, , outputs] = filter.shape as [number, number, number, number];
  const vertical = axisPhases(height, kernelH, info.strideHeight, info.padInfo.top);
  const horizontal = axisPhases(width, kernelW, info.strideWidth, info.padInfo.left);
  const dx = heap.output(info.inShape);
  const capacity = vertical.phases.length * horizontal.phases.length;
  const each = panelBytes(kernelH * kernelW * outputs, channels);
  let w = heap.reserve('kernel', capacity * each);
  const tap = channels * outputs;
  const phases: Phase[] = [];
  for (const [i, v] of vertical.phases.entries()) {
    for (const [j, h] of horizontal.phases.entries()) {
      pack(heap, w, [v.taps, h.taps, outputs, channels], {
        source: heap.address(filter) + 4 * tap * (v.lastTap * kernelW + h.lastTap),
        strides: [-info.strideHeight * kernelW * tap, -info.strideWidth * tap, 1, outputs],
      });
      phases.push({
        ...{ kernelH: v.taps, kernelW: h.taps, offsetH: v.offset, offsetW: h.offset },
        ...{ rows: v.positions, columns: h.positions, yStart: (i * width + j) * channels, w },
        ...{ yRow: info.strideHeight * width * channels, yColumn: info.strideWidth * channels },
      });
      w += each;
    }
  }
  const padding = { padTop: vertical.padding, padLeft: horizontal.padding };
  const image = { address: heap.address(dy), shape: info.outShape, strideH: 1, strideW: 1 };
  const target = { address: heap.address(dx), channels, size: imageSize(dx) };
  runConvolve(heap, { ...image, ...padding }, target, phases);
  return dx;
}

/**
 * One axis of {@link imageGradient}. Position i of the image met tap k of output o where
 * o · stride + k = i + pad. With i = phase + stride · r and the taps counted from the last that
 * fits, o = r + offset + tap.
 */
function axisPhases(length: number, kernel: number, stride: number, pad: number) {
  const raw = Array.from({ length: Math.min(stride, length) }, (_, phase) => {
    const firstTap = (phase + pad) % stride;
    const taps = Math.max(0, Math.ceil((kernel - firstTap) / stride));
    const offset = Math.floor((phase + pad) / stride) - (taps - 1);
    const lastTap = taps === 0 ? 0 : firstTap + stride * (taps - 1);
    return { taps, lastTap, offset, positions: Math.ceil((length - phase) / stride) };
  });
  const padding = Math.max(0, ...raw.map(({ offset }) => -offset));
  const phases = raw.map((phase) => ({ ...phase, offset: phase.offset + padding }));
  return { phases, padding };
}

function imageOf(heap: Heap, x: tf.TensorInfo, info: tf.backend_util.Conv2DInfo): Image {
  return {
    ...{ address: heap.address(x), shape: x.shape },
    ...{ padTop: info.padInfo.top, padLeft: info.padInfo.left },
    ...{ strideH: info.strideHeight, strideW: info.strideWidth },
  };
}

function forwardPhase(info: tf.backend_util.Conv2DInfo, w: number): Phase {
  return {
    ...{ kernelH: info.filterHeight, kernelW: info.filterWidth, offsetH: 0, offsetW: 0 },
    ...{ rows: info.outHeight, columns: info.outWidth, yStart: 0, w },
    ...{ yRow: info.outWidth * info.outChannels, yColumn: info.outChannels },
  };
}

/** Numbers of one image of a batch. */
export function imageSize({ shape }: { shape: readonly number[] }): number {
  return shape.slice(1).reduce((a, b) => a * b, 1);
}

/** Bytes of a packed kernel: `taps` (channels counted in) for each of the outputs, in eights. */
export function panelBytes(taps: number, outputs: number): number {
  return taps * Math.ceil(outputs / 8) * 32;
}

/** Packs a kernel of `shape` (rows, columns, channels, outputs) to `address`. */
export function pack(
  heap: Heap,
  address: number,
  shape: readonly [number, number, number, number],
  { source, strides }: Packing,
): void {
  heap.threads.call('packPanels', source, ...shape, ...strides, address);
}

/** Runs a plan of the loop `convolve`. */
export function runConvolve(heap: Heap, image: Image, target: Target, phases: Phase[]): void {
  const { fields, geometry } = layOut(image, target, phases);
  const { rowBytes, strideH, extentH, blockRows } = geometry;
  const slack = 6 * image.strideW * image.shape[3]! * 4;
  const bytes = ((blockRows - 1) * strideH + extentH) * rowBytes + slack;
  const scratch = heap.reserve('scratch', bytes * heap.threads.count);
  const header = [...fields(scratch, bytes), 0, 0, 0, phases.length];
  heap.threads.run('convolve', writePlan(heap, header, phases));
}

/**
 * Runs a plan of the loop `convolveGradient`.
 * @param size numbers of all phases' gradients together, which go to `result`.
 */
export function runGradient(
  heap: Heap,
  image: Image,
  dy: Target,
  phases: Phase[],
  size: number,
  result: number,
): void {
  const { fields, geometry } = layOut(image, dy, phases);
  const { paddedWidth, strideH, extentH, blockRows } = geometry;
  const xRows = (blockRows - 1) * strideH + extentH;
  const xBytes = Math.ceil(image.shape[3]! / 6) * xRows * paddedWidth * 24;
  const columns = Math.max(...phases.map((phase) => phase.columns));
  const bytes = xBytes + panelBytes(blockRows * columns, dy.channels);
  const scratch = heap.reserve('scratch', bytes * heap.threads.count);
  const partials = heap.reserve('partials', PARTS * size * 4);
  const header = [...fields(scratch, bytes), PARTS, partials, size, phases.length];
  heap.threads.run('convolveGradient', writePlan(heap, header, phases));
  heap.threads.call('sumParts', PARTS, size, partials, result);
}

/** What both loops need to know of an image and the phases over it. */
function layOut(image: Image, y: Target, phases: Phase[]) {
  const [images, height, width, channels] = image.shape as [number, number, number, number];
  const { strideH, strideW, padTop, padLeft } = image;
  const most = (of: (phase: Phase) => number) => Math.max(...phases.map(of));
  const extentH = most((phase) => phase.offsetH + phase.kernelH);
  const gridRows = most((phase) => phase.rows);
  const paddedWidth = most(
    (phase) => (phase.columns - 1) * strideW + phase.offsetW + Math.max(1, phase.kernelW),
  );
  const rowBytes = paddedWidth * channels * 4;
  const fitting = Math.floor((BLOCK_BYTES / rowBytes - extentH) / strideH) + 1;
  const blockRows = Math.max(1, Math.min(gridRows, fitting));
  const fields = (scratch: number, scratchBytes: number) => [
    ...[image.address, height, width, channels, padTop, padLeft, paddedWidth, strideH, strideW],
    ...[images, blockRows, gridRows, extentH, scratch, scratchBytes],
    ...[y.address, y.channels, y.size],
  ];
  return { fields, geometry: { paddedWidth, rowBytes, strideH, extentH, blockRows } };
}

function writePlan(heap: Heap, header: number[], phases: Phase[]): number {
  const length = PLAN_FIELDS + phases.length * PHASE_FIELDS;
  const plan = heap.reserve('plan', length * 4);
  const fields = phases.flatMap((p) => [
    ...[p.kernelH, p.kernelW, p.offsetH, p.offsetW, p.rows, p.columns],
    ...[p.yStart, p.yRow, p.yColumn, p.w],
  ]);
  heap.ints(plan, length).set([...header, ...fields]);
  return plan;
}
