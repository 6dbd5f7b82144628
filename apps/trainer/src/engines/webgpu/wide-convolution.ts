/**
 * Convolutions of many positions and of channels that come in fours, as matrix products that read the image in place.
 * tfjs's own use tiles of a quarter of the size, and divide for each number that they read.
 *
 * @module
 */
import { product } from '@killme/model';
import type * as tf from '@tensorflow/tfjs-core';
import { ADVANCE, onImage, positionUniforms, startAt } from './positions.ts';
import { i32, runWorkgroups, type Shader, type WebGPUBackend } from './program.ts';
import {
  ADD_WIDE,
  BEGIN_WIDE,
  WIDE_DEPTH,
  WIDE_TILE,
  WIDE_TILES,
  writeTerms,
  writeWide,
} from './wide-tiles.ts';

/** Workgroups below which small tiles are better: a large GPU has 132 multiprocessors, and each takes several. */
const LEAST_WORKGROUPS = 256;

/** Of a tile's columns that have to be of use. */
const LEAST_USE = 0.75;

/** Whether a product of that size is one for wide tiles. @param chunks parts of its sums. */
export function isWide(rows: number, columns: number, chunks = 1): boolean {
  const [down, across] = [Math.ceil(rows / WIDE_TILE), Math.ceil(columns / WIDE_TILE)];
  const used = columns / (across * WIDE_TILE);
  return columns % 4 === 0 && used >= LEAST_USE && down * across * chunks >= LEAST_WORKGROUPS;
}

const FOUR = [0, 1, 2, 3] as const;

/** Of the four rows of the left tile that a lane brings in, which are positions: where each begins in the image. */
const POSITIONS = FOUR.map(
  (i) => `
    let row${i} = i32(workgroupId.y) * ${WIDE_TILE} + 4 * four + ${i};
    let inside${i} = row${i} % (uniforms.outHeight * uniforms.outWidth);
    let image${i} = row${i} / (uniforms.outHeight * uniforms.outWidth);
    let top${i} = (inside${i} / uniforms.outWidth) * uniforms.stride - uniforms.padTop;
    let left${i} = (inside${i} % uniforms.outWidth) * uniforms.stride - uniforms.padLeft;`,
).join('\n');

/** Of a tap, where the channels of the four positions begin, in fours; below 0 where they are off the image. */
const PIXELS = FOUR.map(
  (i) => `
    let y${i} = top${i} + tapRow;
    let x${i} = left${i} + tapColumn;
    let on${i} = row${i} < uniforms.rows && ${onImage(`y${i}`, `x${i}`)};
    let pixel${i} = select(-1, ((image${i} * uniforms.inHeight + y${i}) * uniforms.inWidth + x${i}) * depth, on${i});`,
).join('\n');

const readPixels = FOUR.map(
  (i) => `
    var pixels${i} = vec4<f32>();
    if (pixel${i} >= 0 && at < depth) { pixels${i} = x[pixel${i} + at]; }`,
).join('\n');

const transposed = (name: string) =>
  `transpose(mat4x4<f32>(${FOUR.map((i) => `${name}${i}`).join(', ')}))`;

/** Brings in the filter `[taps, channels, columns]`. */
const FILTER = writeTerms(
  'rightTile',
  (term) =>
    `select(vec4<f32>(), filter_[(tap * uniforms.channels + 4 * at + ${term}) * fours_ + column], at < depth && column < fours_)`,
);

/** Brings in the filter `[taps, columns, channels]`, its last tap first. */
const TURNED_FILTER = `
    let turned = uniforms.taps - 1 - tap;
    ${FOUR.map(
      (i) => `
      var weights${i} = vec4<f32>();
      if (at < depth && column < fours_) {
        weights${i} = filter_[(turned * uniforms.columns + 4 * column + ${i}) * depth + at];
      }`,
    ).join('\n')}
    let weights = ${transposed('weights')};
    ${writeTerms('rightTile', (term) => `weights[${term}]`)}`;

const convolution = (name: string, filter: string): Shader => ({
  name,
  fours: ['x', 'filter_', 'result'],
  declarations: WIDE_TILES,
  body: `
    ${BEGIN_WIDE}
    ${POSITIONS}
    let column = i32(workgroupId.x) * ${WIDE_TILE / 4} + four;
    let fours_ = uniforms.columns / 4;
    let depth = uniforms.channels / 4;
    for (var tap = 0; tap < uniforms.taps; tap++) {
      let tapRow = tap / uniforms.filterWidth;
      let tapColumn = tap % uniforms.filterWidth;
      ${PIXELS}
      for (var done = 0; done < depth; done += ${WIDE_DEPTH / 4}) {
        let at = done + part;
        ${readPixels}
        let pixels = ${transposed('pixels')};
        ${writeTerms('leftTile', (term) => `pixels[${term}]`)}
        ${filter}
        ${ADD_WIDE}
      }
    }
    ${writeWide('0')}`,
});

const CONVOLUTION = convolution('wideConvolution', FILTER);
const TURNED_CONVOLUTION = convolution('wideTurnedConvolution', TURNED_FILTER);

type Info = tf.backend_util.Conv2DInfo;

/** `[n, height, width, channelsIn]` → `[n, outHeight, outWidth, channelsOut]`; undefined where tfjs's own is better. */
export function wideConvolution(
  backend: WebGPUBackend,
  { x, filter }: Record<'x' | 'filter', tf.TensorInfo>,
  info: Info,
): tf.TensorInfo | undefined {
  const rows = info.batchSize * info.outHeight * info.outWidth;
  if (info.inChannels % 4 || !isWide(rows, info.outChannels)) return undefined;
  const { inChannels, filterHeight, filterWidth } = info;
  return convolve(backend, CONVOLUTION, {
    inputs: { x, filter_: filter },
    shape: info.outShape,
    sizes: {
      ...positionUniforms(info),
      ...{ channels: inChannels, filterWidth, taps: filterHeight * filterWidth },
    },
  });
}

/**
 * The gradient of what a convolution of stride 1 reads: a convolution of dy with the filter turned round.
 * Undefined where tfjs's own is better.
 */
export function wideInputGradient(
  backend: WebGPUBackend,
  { dy, filter }: Record<'dy' | 'filter', tf.TensorInfo>,
  info: Info,
): tf.TensorInfo | undefined {
  const rows = info.batchSize * info.inHeight * info.inWidth;
  const wide = info.outChannels % 4 === 0 && isWide(rows, info.inChannels);
  if (info.strideHeight !== 1 || !wide) return undefined;
  const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  return convolve(backend, TURNED_CONVOLUTION, {
    inputs: { x: dy, filter_: filter },
    shape: info.inShape,
    sizes: {
      ...{ inHeight: outHeight, inWidth: outWidth, outHeight: inHeight, outWidth: inWidth },
      ...{ padTop: filterHeight - 1 - padInfo.top, padLeft: filterWidth - 1 - padInfo.left },
      ...{ stride: 1, channels: info.outChannels, filterWidth, taps: filterHeight * filterWidth },
    },
  });
}

function convolve(
  backend: WebGPUBackend,
  shader: Shader,
  { inputs, shape, sizes }: Call,
): tf.TensorInfo {
  const columns = shape.at(-1)!;
  const rows = product(shape) / columns;
  return runWorkgroups(backend, shader, {
    inputs,
    shape,
    uniforms: i32({ ...sizes, rows, columns }),
    // Workgroups of the same positions run together.
    workgroups: [Math.ceil(columns / WIDE_TILE), Math.ceil(rows / WIDE_TILE), 1],
  });
}

interface Call {
  inputs: Record<string, tf.TensorInfo>;
  shape: readonly number[];
  sizes: Record<string, number>;
}

/**
 * The gradient of the filter, `[taps · channelsIn, positions] × [positions, channelsOut]`, `[chunks, rows, columns]`: each
 * chunk has `uniforms.chunk` positions of the sums.
 */
export const WIDE_FILTER_GRADIENT: Shader = {
  name: 'wideFilterGradient',
  fours: ['x', 'dy', 'result'],
  declarations: WIDE_TILES,
  body: `
    ${BEGIN_WIDE}
    let row = i32(workgroupId.y) * ${WIDE_TILE} + 4 * four;
    let column = i32(workgroupId.x) * ${WIDE_TILE / 4} + four;
    let fours_ = uniforms.columns / 4;
    let tap = row / uniforms.channelsIn;
    let channel = (row % uniforms.channelsIn) / 4;
    let top = tap / uniforms.filterWidth - uniforms.padTop;
    let left = tap % uniforms.filterWidth - uniforms.padLeft;
    let begin = i32(workgroupId.z) * uniforms.chunk;
    let end = min(begin + uniforms.chunk, uniforms.positions);
    for (var done = 0; done < uniforms.chunk; done += ${WIDE_DEPTH}) {
      let position = begin + done + 4 * part;
      ${startAt('position')}
      ${FOUR.map(
        (i) => `
        var pixels${i} = vec4<f32>();
        var gradient${i} = vec4<f32>();
        if (position + ${i} < end) {
          let y = outRow * uniforms.stride + top;
          let xAt = outColumn * uniforms.stride + left;
          if (row < uniforms.rows && ${onImage('y', 'xAt')}) {
            let pixel = (image * uniforms.inHeight + y) * uniforms.inWidth + xAt;
            pixels${i} = x[pixel * (uniforms.channelsIn / 4) + channel];
          }
          if (column < fours_) { gradient${i} = dy[(position + ${i}) * fours_ + column]; }
        }
        ${ADVANCE}`,
      ).join('\n')}
      ${writeTerms('leftTile', (term) => `pixels${term}`)}
      ${writeTerms('rightTile', (term) => `gradient${term}`)}
      ${ADD_WIDE}
    }
    ${writeWide('i32(workgroupId.z) * uniforms.rows')}`,
};
