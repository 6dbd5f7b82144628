/**
 * Sums over all but the last axis (biases, batch normalization), in two stages: many threads each
 * sum a run of rows of one column, then a workgroup for each column puts their parts together. tfjs
 * would transpose the whole tensor first.
 *
 * @module
 */
import { product } from '@killme/model';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import {
  i32,
  LANES,
  runShader,
  runWorkgroups,
  type Shader,
  type WebGPUBackend,
} from './program.ts';

/** Enough threads to fill a large GPU, as long as each has a few rows. */
const THREADS = 131072;
const LEAST_ROWS = 16;

type Split = {
  rows: number;
  columns: number;
  rowsPerPart: number;
  parts: number;
};

function split(shape: readonly number[]): Split {
  const columns = shape.at(-1)!;
  const rows = product(shape) / columns;
  const most = Math.ceil(rows / LEAST_ROWS);
  const rowsPerPart = Math.ceil(rows / Math.max(1, Math.min(most, Math.ceil(THREADS / columns))));
  return { rows, columns, rowsPerPart, parts: Math.ceil(rows / rowsPerPart) };
}

const RANGE = `
  let part = index / uniforms.columns;
  let column = index % uniforms.columns;
  let first = part * uniforms.rowsPerPart;
  let last = min(first + uniforms.rowsPerPart, uniforms.rows);
`;

/** `[parts, columns]` */
const SUM_PARTS: Shader = {
  name: 'sumParts',
  body: `${RANGE}
    var sum = 0.0;
    for (var row = first; row < last; row++) { sum += x[row * uniforms.columns + column]; }
    result[index] = sum;`,
};

/**
 * `[parts, 2, columns]`: the mean of the part, and the sum of squares around it. The part's own
 * first number is taken off first, or a mean far from 0 would drown the squares.
 */
const MOMENT_PARTS: Shader = {
  name: 'momentParts',
  body: `${RANGE}
    let origin = x[first * uniforms.columns + column];
    var sum = 0.0;
    var squares = 0.0;
    for (var row = first; row < last; row++) {
      let value = x[row * uniforms.columns + column] - origin;
      sum += value;
      squares += value * value;
    }
    let count = f32(last - first);
    let at = part * 2 * uniforms.columns + column;
    result[at] = origin + sum / count;
    result[at + uniforms.columns] = max(squares - sum * sum / count, 0.0);`,
};

/** `[parts, 2, columns]`: sums of dy, and of dy · x̂. */
const GRADIENT_PARTS: Shader = {
  name: 'batchNormGradientParts',
  body: `${RANGE}
    let center = mean[column];
    let scale = 1.0 / sqrt(variance[column] + uniforms.epsilon);
    var sum = 0.0;
    var product = 0.0;
    for (var row = first; row < last; row++) {
      let at = row * uniforms.columns + column;
      sum += dy[at];
      product += dy[at] * (x[at] - center) * scale;
    }
    let at = part * 2 * uniforms.columns + column;
    result[at] = sum;
    result[at + uniforms.columns] = product;`,
};

/** A sum over the lanes of a workgroup, which all of them get. All lanes have to call it. */
const GROUP_SUM = `
  var<workgroup> lanes : array<f32, ${LANES}>;
  fn groupSum(value : f32) -> f32 {
    workgroupBarrier();
    lanes[localIndex] = value;
    workgroupBarrier();
    for (var reach = ${LANES / 2}u; reach > 0u; reach >>= 1u) {
      if (localIndex < reach) { lanes[localIndex] += lanes[localIndex + reach]; }
      workgroupBarrier();
    }
    return lanes[0];
  }
`;

const COLUMN = 'let column = i32(workgroupId.x + workgroupId.y * numWorkgroups.x);';
const EACH_PART = `for (var part = i32(localIndex); part < uniforms.parts; part += ${LANES})`;
const WRITE = 'if (localIndex == 0u && column < uniforms.columns)';

/** Adds up a column of `[parts, width]`. */
const SUM_COLUMN: Shader = {
  name: 'sumColumn',
  declarations: GROUP_SUM,
  body: `${COLUMN}
    var sum = 0.0;
    ${EACH_PART} { sum += parts[part * uniforms.width + uniforms.offset + column]; }
    let total = groupSum(sum);
    ${WRITE} { result[column] = total; }`,
};

/** The mean of a column (`uniforms.power` 1) or its variance (2), of what MOMENT_PARTS leaves. */
const MOMENT_COLUMN: Shader = {
  name: 'momentColumn',
  declarations: `${GROUP_SUM}
    fn rowsOf(part : i32) -> f32 {
      return f32(min((part + 1) * uniforms.rowsPerPart, uniforms.rows) - part * uniforms.rowsPerPart);
    }`,
  body: `${COLUMN}
    var sum = 0.0;
    ${EACH_PART} { sum += rowsOf(part) * parts[part * 2 * uniforms.columns + column]; }
    let mean = groupSum(sum) / f32(uniforms.rows);
    var squares = 0.0;
    ${EACH_PART} {
      let away = parts[part * 2 * uniforms.columns + column] - mean;
      squares += parts[(part * 2 + 1) * uniforms.columns + column] + rowsOf(part) * away * away;
    }
    let variance = groupSum(squares) / f32(uniforms.rows);
    ${WRITE} { result[column] = select(variance, mean, uniforms.power == 1); }`,
};

const NORMALIZE: Shader = {
  name: 'normalize',
  body: `
    let column = index % uniforms.columns;
    let scale = gamma[column] / sqrt(variance[column] + uniforms.epsilon);
    result[index] = (x[index] - mean[column]) * scale + beta[column];`,
};

/** dx = γ / √(variance + ε) · (dy − mean(dy) − x̂ · mean(dy · x̂)) */
const GRADIENT: Shader = {
  name: 'batchNormGradient',
  body: `
    let column = index % uniforms.columns;
    let inverse = 1.0 / sqrt(variance[column] + uniforms.epsilon);
    let normalized = (x[index] - mean[column]) * inverse;
    let shared_ = (dbeta[column] + normalized * dgamma[column]) / f32(uniforms.rows);
    result[index] = gamma[column] * inverse * (dy[index] - shared_);`,
};

/** `[…, columns]` → `[columns]` */
export function columnSums(backend: WebGPUBackend, x: TensorInfo): TensorInfo {
  const { parts, ...sizes } = split(x.shape);
  const shape = parts === 1 ? [sizes.columns] : [parts, sizes.columns];
  const threads = parts * sizes.columns;
  const partial = runShader(backend, SUM_PARTS, {
    inputs: { x },
    shape,
    uniforms: i32(sizes),
    threads,
  });
  if (parts === 1) return partial;
  const sums = sumColumns(backend, partial, { ...sizes, parts }, sizes.columns, 0);
  backend.disposeData(partial.dataId);
  return sums;
}

/** y, mean and biased variance. */
export function batchNorm(
  backend: WebGPUBackend,
  { x, gamma, beta }: Record<'x' | 'gamma' | 'beta', TensorInfo>,
  epsilon: number,
): TensorInfo[] {
  const sizes = split(x.shape);
  const { columns, parts } = sizes;
  const partial = runShader(backend, MOMENT_PARTS, {
    inputs: { x },
    shape: [parts, 2, columns],
    uniforms: i32(sizes),
    threads: parts * columns,
  });
  const [mean, variance] = [1, 2].map((power) =>
    runWorkgroups(backend, MOMENT_COLUMN, {
      inputs: { parts: partial },
      shape: [columns],
      uniforms: i32({ ...sizes, power }),
      workgroups: spread(columns),
    }),
  ) as [TensorInfo, TensorInfo];
  backend.disposeData(partial.dataId);
  const y = runShader(backend, NORMALIZE, {
    inputs: { x, gamma, beta, mean, variance },
    shape: x.shape,
    uniforms: { ...i32({ columns }), epsilon: { f32: epsilon } },
  });
  return [y, mean, variance];
}

/** dx, dgamma and dbeta. */
export function batchNormGradients(
  backend: WebGPUBackend,
  { dy, x, gamma, mean, variance }: Record<'dy' | 'x' | 'gamma' | 'mean' | 'variance', TensorInfo>,
  epsilon: number,
): TensorInfo[] {
  const sizes = split(x.shape);
  const { rows, columns, parts } = sizes;
  const partial = runShader(backend, GRADIENT_PARTS, {
    inputs: { dy, x, mean, variance },
    shape: [parts, 2, columns],
    uniforms: { ...i32(sizes), epsilon: { f32: epsilon } },
    threads: parts * columns,
  });
  const [dbeta, dgamma] = [0, columns].map((offset) =>
    sumColumns(backend, partial, sizes, 2 * columns, offset),
  ) as [TensorInfo, TensorInfo];
  backend.disposeData(partial.dataId);
  const dx = runShader(backend, GRADIENT, {
    inputs: { dy, x, gamma, mean, variance, dgamma, dbeta },
    shape: x.shape,
    uniforms: { ...i32({ rows, columns }), epsilon: { f32: epsilon } },
  });
  return [dx, dgamma, dbeta];
}

function sumColumns(
  backend: WebGPUBackend,
  partial: TensorInfo,
  { columns, parts }: Split,
  width: number,
  offset: number,
): TensorInfo {
  return runWorkgroups(backend, SUM_COLUMN, {
    inputs: { parts: partial },
    shape: [columns],
    uniforms: i32({ columns, parts, width, offset }),
    workgroups: spread(columns),
  });
}

/** One workgroup for each of `count`, with no dimension beyond what WebGPU promises (65535). */
function spread(count: number): [number, number, number] {
  const across = Math.min(count, 32768);
  return [across, Math.ceil(count / across), 1];
}
