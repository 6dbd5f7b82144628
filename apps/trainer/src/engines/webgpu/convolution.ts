/**
 * Gradients of convolutions' filters, and upsampling followed by a convolution (see phases.ts of
 * `@killme/model`), with few passes over the images.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { columnSums } from './columns.ts';
import { narrowFilterGradient } from './narrow-convolution.ts';
import { onImage, positionUniforms } from './positions.ts';
import {
  i32,
  LANES,
  runShader,
  runWorkgroups,
  type Shader,
  type WebGPUBackend,
} from './program.ts';
import { addTiles, BEGIN_SUMS, DEPTH, declareTiles, TILE, writeSums } from './tiles.ts';
import { isWide, WIDE_FILTER_GRADIENT } from './wide-convolution.ts';
import { WIDE_TILE } from './wide-tiles.ts';

/** Workgroups that fill a large GPU. */
const WORKGROUPS = 1024;

/**
 * The gradient as a matrix product, `[taps · channelsIn, positions] × [positions, channelsOut]`, whose
 * left side is read out of the image as it is needed. The positions are dealt out to several
 * workgroups (`uniforms.chunk` each), each with a result of its own.
 */
const FILTER_GRADIENT: Shader = {
  name: 'filterGradient',
  declarations: declareTiles('xTile', 'dyTile'),
  body: `
    let lane = i32(localIndex);
    let column = i32(workgroupId.x) * ${TILE} + lane % ${TILE};
    let row = i32(workgroupId.y) * ${TILE} + lane % ${TILE};
    let channel = row % uniforms.channelsIn;
    let tap = row / uniforms.channelsIn;
    let top = tap / uniforms.filterWidth - uniforms.padTop;
    let left = tap % uniforms.filterWidth - uniforms.padLeft;
    let area = uniforms.outHeight * uniforms.outWidth;
    let begin = i32(workgroupId.z) * uniforms.chunk;
    let end = min(begin + uniforms.chunk, uniforms.positions);
    ${BEGIN_SUMS}

    for (var done = 0; done < uniforms.chunk; done += ${DEPTH}) {
      for (var k = lane / ${TILE}; k < ${DEPTH}; k += ${LANES / TILE}) {
        let position = begin + done + k;
        let inside = position % area;
        let y = (inside / uniforms.outWidth) * uniforms.stride + top;
        let xAt = (inside % uniforms.outWidth) * uniforms.stride + left;
        let image = position / area;
        let slot = k * ${TILE} + lane % ${TILE};
        xTile[slot] = 0.0;
        dyTile[slot] = 0.0;
        if (position < end) {
          if (row < uniforms.rows && ${onImage('y', 'xAt')}) {
            let pixel = (image * uniforms.inHeight + y) * uniforms.inWidth + xAt;
            xTile[slot] = x[pixel * uniforms.channelsIn + channel];
          }
          if (column < uniforms.columns) {
            dyTile[slot] = dy[position * uniforms.columns + column];
          }
        }
      }
      ${addTiles('xTile', 'dyTile')}
    }

    ${writeSums('uniforms.columns')}`,
};

/** `[filterHeight, filterWidth, channelsIn, channelsOut]` */
export function filterGradient(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  const narrow = narrowFilterGradient(backend, { x, dy }, info);
  if (narrow) return sumParts(backend, narrow, info);
  const positions = info.batchSize * info.outHeight * info.outWidth;
  const rows = info.filterHeight * info.filterWidth * info.inChannels;
  const most = Math.ceil(positions / (DEPTH * DEPTH));
  const wide = info.inChannels % 4 === 0 && isWide(rows, info.outChannels, most);
  const tile = wide ? WIDE_TILE : TILE;
  const across = Math.ceil(info.outChannels / tile);
  const down = Math.ceil(rows / tile);
  const wanted = Math.min(most, Math.ceil(WORKGROUPS / (across * down)));
  const chunk = DEPTH * Math.ceil(positions / wanted / DEPTH);
  const chunks = Math.ceil(positions / chunk);
  const sizes = {
    positions,
    rows,
    chunk,
    channelsIn: info.inChannels,
    columns: info.outChannels,
    filterWidth: info.filterWidth,
    ...positionUniforms(info),
  };
  const partial = runWorkgroups(backend, wide ? WIDE_FILTER_GRADIENT : FILTER_GRADIENT, {
    inputs: { x, dy },
    shape: [chunks, rows * info.outChannels],
    uniforms: i32(sizes),
    workgroups: [across, down, chunks],
  });
  return sumParts(backend, partial, info);
}

/** Adds up `[chunks, …]`, which it disposes of. */
function sumParts(
  backend: WebGPUBackend,
  partial: tf.TensorInfo,
  { filterShape }: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  if (partial.shape[0] === 1) return { ...partial, shape: filterShape };
  const sums = columnSums(backend, partial);
  backend.disposeData(partial.dataId);
  return { ...sums, shape: filterShape };
}

/** `[3, 3, channelsIn, channelsOut]` → the four phase kernels, `[2, 2, channelsIn, 4 · channelsOut]`. */
const STACK_KERNEL: Shader = {
  name: 'stackKernel',
  body: `
    let output = index % uniforms.channels;
    let phase = (index / uniforms.channels) % 4;
    let input = (index / uniforms.channels / 4) % uniforms.channelsIn;
    let tap = index / uniforms.channels / 4 / uniforms.channelsIn;
    let taps = vec2<i32>(tap / 2, tap % 2);
    let phases = vec2<i32>(phase / 2, phase % 2);
    // Phase 0 reads taps 0 | 1 + 2, phase 1 reads 0 + 1 | 2.
    let first = taps * (1 + phases);
    let last = first + (taps ^ phases);
    var sum = 0.0;
    for (var i = first.x; i <= last.x; i++) {
      for (var j = first.y; j <= last.y; j++) {
        sum += filter_[((i * 3 + j) * uniforms.channelsIn + input) * uniforms.channels + output];
      }
    }
    result[index] = sum;`,
};

/** The transpose of STACK_KERNEL. */
const FOLD_KERNEL: Shader = {
  name: 'foldKernel',
  body: `
    let output = index % uniforms.channels;
    let input = (index / uniforms.channels) % uniforms.channelsIn;
    let tap = index / uniforms.channels / uniforms.channelsIn;
    var sum = 0.0;
    for (var phase = 0; phase < 4; phase++) {
      let i = select(0, 1, tap / 3 > phase / 2);
      let j = select(0, 1, tap % 3 > phase % 2);
      let at = ((i * 2 + j) * uniforms.channelsIn + input) * 4 + phase;
      sum += stacked[at * uniforms.channels + output];
    }
    result[index] = sum;`,
};

const PIXEL = `
  let channel = index % uniforms.channels;
  let column = (index / uniforms.channels) % uniforms.width;
  let row = (index / uniforms.channels / uniforms.width) % uniforms.height;
  let image = index / uniforms.channels / uniforms.width / uniforms.height;
`;

/** `[n, h + 1, w + 1, 4 · channels]` → `[n, 2h, 2w, channels]`: phase (p, q) begins at (p, q). */
const INTERLEAVE: Shader = {
  name: 'interleave',
  body: `${PIXEL}
    let phase = 2 * (row % 2) + column % 2;
    let fromRow = image * (uniforms.height / 2 + 1) + row / 2 + row % 2;
    let fromColumn = column / 2 + column % 2;
    let pixel = fromRow * (uniforms.width / 2 + 1) + fromColumn;
    result[index] = stacked[(pixel * 4 + phase) * uniforms.channels + channel];`,
};

/** The transpose of INTERLEAVE; height and width are those of the stacked side. */
const STACK: Shader = {
  name: 'stack',
  body: `
    let phase = (index / uniforms.channels) % 4;
    let channel = index % uniforms.channels;
    let pixel = index / uniforms.channels / 4;
    let row = (pixel / uniforms.width) % uniforms.height - phase / 2;
    let column = pixel % uniforms.width - phase % 2;
    let image = pixel / uniforms.width / uniforms.height;
    let height = uniforms.height - 1;
    let width = uniforms.width - 1;
    result[index] = 0.0;
    if (row >= 0 && row < height && column >= 0 && column < width) {
      let toRow = image * 2 * height + 2 * row + phase / 2;
      let to = toRow * 2 * width + 2 * column + phase % 2;
      result[index] = dy[to * uniforms.channels + channel];
    }`,
};

/** `[n, h, w, channelsIn]` and `[3, 3, channelsIn, channels]` → `[n, 2h, 2w, channels]`. */
export function upsampleConvolution(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
): tf.TensorInfo {
  const [n, height, width] = x.shape as [number, number, number, number];
  const [, , , channels] = filter.shape as [number, number, number, number];
  const kernel = stackKernel(backend, filter);
  const stacked = convolve(backend, 'Conv2D', { x, filter: kernel }, {});
  const y = runShader(backend, INTERLEAVE, {
    inputs: { stacked },
    shape: [n, 2 * height, 2 * width, channels],
    uniforms: i32({ channels, height: 2 * height, width: 2 * width }),
  });
  for (const { dataId } of [kernel, stacked]) backend.disposeData(dataId);
  return y;
}

/** dx and dfilter. */
export function upsampleConvolutionGradients(
  backend: WebGPUBackend,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
): tf.TensorInfo[] {
  const [n, height, width, channelsIn] = x.shape as [number, number, number, number];
  const [, , , channels] = filter.shape as [number, number, number, number];
  const kernel = stackKernel(backend, filter);
  const stacked = runShader(backend, STACK, {
    inputs: { dy },
    shape: [n, height + 1, width + 1, 4 * channels],
    uniforms: i32({ channels, height: height + 1, width: width + 1 }),
  });
  const shapes = { inputShape: x.shape };
  const dx = convolve(backend, 'Conv2DBackpropInput', { dy: stacked, filter: kernel }, shapes);
  const info = tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    kernel.shape as [number, number, number, number],
    1,
    1,
    BORDER,
  );
  const dkernel = filterGradient(backend, x, stacked, info);
  const dfilter = runShader(backend, FOLD_KERNEL, {
    inputs: { stacked: dkernel },
    shape: filter.shape,
    uniforms: i32({ channels, channelsIn }),
  });
  for (const { dataId } of [kernel, stacked, dkernel]) backend.disposeData(dataId);
  return [dx, dfilter];
}

/** One pixel of zeros all around. */
const BORDER: tf.backend_util.ExplicitPadding = [
  [0, 0],
  [1, 1],
  [1, 1],
  [0, 0],
];

function stackKernel(backend: WebGPUBackend, filter: tf.TensorInfo): tf.TensorInfo {
  const [, , channelsIn, channels] = filter.shape as [number, number, number, number];
  return runShader(backend, STACK_KERNEL, {
    inputs: { filter_: filter },
    shape: [2, 2, channelsIn, 4 * channels],
    uniforms: i32({ channels, channelsIn }),
  });
}

/** tfjs's own convolution of stride 1, without its bookkeeping of tensors. */
function convolve(
  backend: WebGPUBackend,
  name: 'Conv2D' | 'Conv2DBackpropInput',
  inputs: Record<string, tf.TensorInfo>,
  attrs: tf.NamedAttrMap,
): tf.TensorInfo {
  const kernel = tf.getKernel(name, 'webgpu');
  const settings = { strides: 1, pad: BORDER, dataFormat: 'NHWC', dilations: 1, ...attrs };
  return kernel.kernelFunc({
    inputs,
    backend,
    attrs: settings as tf.NamedAttrMap,
  }) as tf.TensorInfo;
}
