/**
 * Convolutions into a few channels (an image), of many positions: neighbouring lanes read neighbouring channels of a
 * position, where a tile of a matrix product would be empty for the most part.
 *
 * @module
 */
import type * as tf from '@tensorflow/tfjs-core';
import { ADVANCE, onImage, positionUniforms, startAt } from './positions.ts';
import { IN_FOUR, i32, LANES, runWorkgroups, type Shader, type WebGPUBackend } from './program.ts';

/** Numbers of a position, at most: they lie in a vector. */
const MOST_COLUMNS = 4;

/** Positions from which this pays. */
const LEAST_POSITIONS = 16_384;

/** What WebGPU promises. */
const MOST_WORKGROUPS = 65_535;

/** Positions that a lane takes with the same weights. */
const TOGETHER = 8;

/** Taps of which a lane keeps sums in registers. */
const MOST_TAPS = 9;

/** Parts of the sums of a filter's gradient, at most: sixteen lanes or fewer for each fill a large GPU. */
const CHUNKS = 4096;
const LEAST_CHUNK = 64;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const lines = (count: number, line: (i: number) => string) => range(count).map(line).join('\n');

/** Lanes of a position, each of which takes four channels at a time. */
const lanesFor = (channels: number) => Math.min(16, 2 ** Math.ceil(Math.log2(channels / 4)));

/** `columns` numbers from `at` on, as a vector. */
const vectorOf = (array: string, at: string, columns: number) => {
  const numbers = range(MOST_COLUMNS).map((i) => (i < columns ? `${array}[${at} + ${i}]` : '0.0'));
  return `vec4<f32>(${numbers.join(', ')})`;
};

const convolution = (lanes: number, columns: number): Shader => ({
  name: `narrowConvolution of ${lanes} lanes, ${columns} columns`,
  fours: ['x'],
  declarations: `var<workgroup> parts : array<vec4<f32>, ${LANES * TOGETHER}>;`,
  body: `
    let lane = i32(localIndex);
    let depth = uniforms.channels / 4;
    let begin = i32(workgroupId.x) * ${(LANES / lanes) * TOGETHER};
    let first = begin + lane / ${lanes} * ${TOGETHER};
    ${startAt('first')}
    ${lines(
      TOGETHER,
      (i) => `
      let image${i} = image;
      let top${i} = outRow * uniforms.stride - uniforms.padTop;
      let left${i} = outColumn * uniforms.stride - uniforms.padLeft;
      var sum${i} = vec4<f32>();
      ${ADVANCE}`,
    )}
    for (var tap = 0; tap < uniforms.taps; tap++) {
      let tapRow = tap / uniforms.filterWidth;
      let tapColumn = tap % uniforms.filterWidth;
      for (var four = lane % ${lanes}; four < depth; four += ${lanes}) {
        let weightsAt = (tap * uniforms.channels + 4 * four) * ${columns};
        ${lines(4, (i) => `let weights${i} = ${vectorOf('filter_', `weightsAt + ${i * columns}`, columns)};`)}
        ${lines(
          TOGETHER,
          (i) => `{
          let y = top${i} + tapRow;
          let xAt = left${i} + tapColumn;
          if (first + ${i} < uniforms.positions && ${onImage('y', 'xAt')}) {
            let pixel = x[((image${i} * uniforms.inHeight + y) * uniforms.inWidth + xAt) * depth + four];
            sum${i} += ${IN_FOUR.map((channel, j) => `pixel.${channel} * weights${j}`).join(' + ')};
          }
        }`,
        )}
      }
    }
    ${lines(TOGETHER, (i) => `parts[${i * LANES} + lane] = sum${i};`)}
    workgroupBarrier();
    for (var at = lane; at < ${(LANES / lanes) * TOGETHER}; at += ${LANES}) {
      let from_ = at % ${TOGETHER} * ${LANES} + at / ${TOGETHER} * ${lanes};
      var sum = vec4<f32>();
      for (var i = 0; i < ${lanes}; i++) { sum += parts[from_ + i]; }
      if (begin + at < uniforms.positions) {
        ${lines(columns, (i) => `result[(begin + at) * ${columns} + ${i}] = sum[${i}];`)}
      }
    }`,
});

/** `[chunks, taps · channels, columns]` */
const filterGradient = (
  lanes: number,
  columns: number,
  [height, width]: [number, number],
): Shader => {
  const taps = range(height * width);
  const sum = (tap: number, channel: number) => `sum${tap}${IN_FOUR[channel]}`;
  const eachSum = (line: (tap: number, channel: number) => string) =>
    taps.flatMap((tap) => IN_FOUR.map((_, channel) => line(tap, channel))).join('\n');
  return {
    name: `narrowFilterGradient of ${lanes} lanes, ${columns} columns, ${height} × ${width}`,
    fours: ['x'],
    body: `
      let lane = i32(localIndex);
      let depth = uniforms.channels / 4;
      let four = i32(workgroupId.y) * ${lanes} + lane % ${lanes};
      let chunk = i32(workgroupId.x) * ${LANES / lanes} + lane / ${lanes};
      let begin = chunk * uniforms.chunk;
      let end = min(begin + uniforms.chunk, uniforms.positions);
      ${eachSum((tap, channel) => `var ${sum(tap, channel)} = vec4<f32>();`)}
      if (four < depth && chunk < uniforms.chunks) {
        ${startAt('begin')}
        for (var position = begin; position < end; position++) {
          let gradient = ${vectorOf('dy', `position * ${columns}`, columns)};
          let top = outRow * uniforms.stride - uniforms.padTop;
          let left = outColumn * uniforms.stride - uniforms.padLeft;
          ${taps
            .map(
              (tap) => `{
            let y = top + ${Math.floor(tap / width)};
            let xAt = left + ${tap % width};
            if (${onImage('y', 'xAt')}) {
              let pixel = x[((image * uniforms.inHeight + y) * uniforms.inWidth + xAt) * depth + four];
              ${IN_FOUR.map((channel, i) => `${sum(tap, i)} += pixel.${channel} * gradient;`).join('\n')}
            }
          }`,
            )
            .join('\n')}
          ${ADVANCE}
        }
        ${eachSum((tap, channel) => {
          const row = `(chunk * ${taps.length} + ${tap}) * uniforms.channels + 4 * four + ${channel}`;
          return lines(
            columns,
            (i) => `result[(${row}) * ${columns} + ${i}] = ${sum(tap, channel)}[${i}];`,
          );
        })}
      }`,
  };
};

type Info = tf.backend_util.Conv2DInfo;

const positionsOf = ({ batchSize, outHeight, outWidth }: Info) => batchSize * outHeight * outWidth;

const isNarrow = (info: Info) =>
  info.inChannels % 4 === 0 &&
  info.outChannels <= MOST_COLUMNS &&
  positionsOf(info) >= LEAST_POSITIONS;

const uniformsOf = (info: Info) => ({
  ...positionUniforms(info),
  ...{ channels: info.inChannels, positions: positionsOf(info) },
});

/** `[n, outHeight, outWidth, channelsOut]`; undefined where other kernels are better. */
export function narrowConvolution(
  backend: WebGPUBackend,
  { x, filter }: Record<'x' | 'filter', tf.TensorInfo>,
  info: Info,
): tf.TensorInfo | undefined {
  const lanes = lanesFor(info.inChannels);
  const workgroups = Math.ceil(positionsOf(info) / ((LANES / lanes) * TOGETHER));
  if (!isNarrow(info) || workgroups > MOST_WORKGROUPS) return undefined;
  const { filterHeight, filterWidth } = info;
  return runWorkgroups(backend, convolution(lanes, info.outChannels), {
    inputs: { x, filter_: filter },
    shape: info.outShape,
    uniforms: i32({ ...uniformsOf(info), filterWidth, taps: filterHeight * filterWidth }),
    workgroups: [workgroups, 1, 1],
  });
}

/** `[chunks, taps · channelsIn · channelsOut]`, parts of the filter's gradient; undefined where other kernels are better. */
export function narrowFilterGradient(
  backend: WebGPUBackend,
  { x, dy }: Record<'x' | 'dy', tf.TensorInfo>,
  info: Info,
): tf.TensorInfo | undefined {
  const { filterHeight, filterWidth, inChannels, outChannels } = info;
  if (!isNarrow(info) || filterHeight * filterWidth > MOST_TAPS) return undefined;
  const positions = positionsOf(info);
  const chunk = Math.max(LEAST_CHUNK, Math.ceil(positions / CHUNKS));
  const chunks = Math.ceil(positions / chunk);
  const lanes = lanesFor(inChannels);
  return runWorkgroups(backend, filterGradient(lanes, outChannels, [filterHeight, filterWidth]), {
    inputs: { x, dy },
    shape: [chunks, filterHeight * filterWidth * inChannels * outChannels],
    uniforms: i32({ ...uniformsOf(info), chunk, chunks }),
    workgroups: [Math.ceil((chunks * lanes) / LANES), Math.ceil(inChannels / 4 / lanes), 1],
  });
}
