/**
 * Sums over all but the last axis (biases, batch normalization), in two stages: many threads each
 * sum a run of rows of one column, then a workgroup for each column puts their parts together. tfjs
 * would transpose the whole tensor first.
 *
 * @module
 */
import { product } from '@killme/model';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { GROUP_SUM, type InPlaceShader, LANES, newTensor, runInPlace } from './in-place.ts';
import { i32, runShader, type Shader, type WebGPUBackend } from './program.ts';

/** Enough threads to fill a large GPU, as long as each has a few rows. */
const THREADS = 131072;
const LEAST_ROWS = 16;

/** How the rows of `[rows, columns]` are dealt out to threads. */
interface Split {
  rows: number;
  columns: number;
  rowsPerPart: number;
  parts: number;
}

export function split(shape: readonly number[]): Split {
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

/**
 * The gradient of what the activation is given, at `at`: `slope` is that of the activation below 0. The number it is
 * given is computed as NORMALIZE does.
 */
const ACTIVATED_GRADIENT = `
  fn gradientAt(at : i32, column : i32) -> f32 {
    let scale = gamma[column] / sqrt(variance[column] + uniforms.epsilon);
    let normalized = (x[at] - mean[column]) * scale + beta[column];
    return dy[at] * select(uniforms.slope, 1.0, normalized > 0.0);
  }`;

const PLAIN_GRADIENT = 'fn gradientAt(at : i32, column : i32) -> f32 { return dy[at]; }';

/** `[parts, 2, columns]`: sums of dy, and of dy · x̂. */
const GRADIENT_PARTS: Shader = {
  name: 'batchNormGradientParts',
  declarations: PLAIN_GRADIENT,
  body: `${RANGE}
    let center = mean[column];
    let scale = 1.0 / sqrt(variance[column] + uniforms.epsilon);
    var sum = 0.0;
    var product = 0.0;
    for (var row = first; row < last; row++) {
      let at = row * uniforms.columns + column;
      let gradient = gradientAt(at, column);
      sum += gradient;
      product += gradient * (x[at] - center) * scale;
    }
    let at = part * 2 * uniforms.columns + column;
    result[at] = sum;
    result[at + uniforms.columns] = product;`,
};

/** A workgroup for each column, which is its `part`. */
const EACH_PART = `for (var row = lane; row < uniforms.parts; row += ${LANES})`;

/** Adds up the columns of `[parts, columns]`. */
const SUM_COLUMNS: InPlaceShader = {
  name: 'sumColumns',
  written: ['sums'],
  read: ['parts'],
  declarations: GROUP_SUM,
  body: (array) => `
    var sum = 0.0;
    ${EACH_PART} { sum += ${array('parts')}[row * count + part]; }
    let total = groupSum(lane, sum);
    if (lane == 0) { ${array('sums')}[part] = total; }`,
};

/** Adds up the columns of `[parts, 2, columns]`. */
const SUM_PAIRS: InPlaceShader = {
  name: 'sumPairs',
  written: ['firsts', 'seconds'],
  read: ['parts'],
  declarations: GROUP_SUM,
  body: (array) => `
    var first = 0.0;
    var second = 0.0;
    ${EACH_PART} {
      first += ${array('parts')}[2 * row * count + part];
      second += ${array('parts')}[(2 * row + 1) * count + part];
    }
    let ofFirst = groupSum(lane, first);
    let ofSecond = groupSum(lane, second);
    if (lane == 0) {
      ${array('firsts')}[part] = ofFirst;
      ${array('seconds')}[part] = ofSecond;
    }`,
};

/** The mean and the variance of each column, of what MOMENT_PARTS leaves. */
const MOMENTS: InPlaceShader = {
  name: 'moments',
  written: ['mean', 'variance'],
  read: ['parts'],
  declarations: `${GROUP_SUM}
    fn rowsOf(part : i32) -> f32 {
      return f32(min((part + 1) * uniforms.rowsPerPart, uniforms.rows) - part * uniforms.rowsPerPart);
    }`,
  body: (array) => `
    var sum = 0.0;
    ${EACH_PART} { sum += rowsOf(row) * ${array('parts')}[2 * row * count + part]; }
    let center = groupSum(lane, sum) / f32(uniforms.rows);
    var squares = 0.0;
    ${EACH_PART} {
      let away = ${array('parts')}[2 * row * count + part] - center;
      squares += ${array('parts')}[(2 * row + 1) * count + part] + rowsOf(row) * away * away;
    }
    let spread = groupSum(lane, squares) / f32(uniforms.rows);
    if (lane == 0) {
      ${array('mean')}[part] = center;
      ${array('variance')}[part] = spread;
    }`,
};

/** With the activation: `slope` is that below 0, 1 for none. */
const NORMALIZE: Shader = {
  name: 'normalize',
  body: `
    let column = index % uniforms.columns;
    let scale = gamma[column] / sqrt(variance[column] + uniforms.epsilon);
    let normalized = (x[index] - mean[column]) * scale + beta[column];
    result[index] = normalized * select(uniforms.slope, 1.0, normalized > 0.0);`,
};

/** dx = γ / √(variance + ε) · (dy − mean(dy) − x̂ · mean(dy · x̂)) */
const GRADIENT: Shader = {
  name: 'batchNormGradient',
  declarations: PLAIN_GRADIENT,
  body: `
    let column = index % uniforms.columns;
    let inverse = 1.0 / sqrt(variance[column] + uniforms.epsilon);
    let normalized = (x[index] - mean[column]) * inverse;
    let shared_ = (dbeta[column] + normalized * dgamma[column]) / f32(uniforms.rows);
    result[index] = gamma[column] * inverse * (gradientAt(index, column) - shared_);`,
};

const activated = ({ name, body }: Shader): Shader => ({
  name: `${name}, activated`,
  declarations: ACTIVATED_GRADIENT,
  body,
});

const GRADIENTS = {
  plain: { parts: GRADIENT_PARTS, dx: GRADIENT },
  activated: { parts: activated(GRADIENT_PARTS), dx: activated(GRADIENT) },
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
  return parts === 1 ? partial : sumColumns(backend, partial);
}

/** `[parts, columns]`, which is disposed of, → `[columns]` */
export function sumColumns(backend: WebGPUBackend, partial: TensorInfo): TensorInfo {
  const [parts, columns] = partial.shape as [number, number];
  const sums = newTensor(backend, [columns]);
  reduceColumns(backend, SUM_COLUMNS, { columns, tensors: { sums, parts: partial } }, { parts });
  return sums;
}

/** Runs a shader for each column; disposes of the tensor `parts`. */
function reduceColumns(
  backend: WebGPUBackend,
  shader: InPlaceShader,
  { columns, tensors }: { columns: number; tensors: Record<string, TensorInfo> },
  sizes: Record<string, number>,
): void {
  const sets = [{ tensors, count: columns, share: 1 }];
  runInPlace(backend, shader, { sets, uniforms: i32(sizes) });
  backend.disposeData(tensors.parts!.dataId);
}

/**
 * y, mean and biased variance.
 * @param options.slope that of the activation of y below 0; 1 for none.
 */
export function batchNorm(
  backend: WebGPUBackend,
  { x, gamma, beta }: Record<'x' | 'gamma' | 'beta', TensorInfo>,
  { epsilon, slope = 1 }: { epsilon: number; slope?: number },
): TensorInfo[] {
  const { columns, ...sizes } = split(x.shape);
  const { parts } = sizes;
  const partial = runShader(backend, MOMENT_PARTS, {
    inputs: { x },
    shape: [parts, 2, columns],
    uniforms: i32({ columns, ...sizes }),
    threads: parts * columns,
  });
  const [mean, variance] = [newTensor(backend, [columns]), newTensor(backend, [columns])];
  reduceColumns(backend, MOMENTS, { columns, tensors: { mean, variance, parts: partial } }, sizes);
  const y = runShader(backend, NORMALIZE, {
    inputs: { x, gamma, beta, mean, variance },
    shape: x.shape,
    uniforms: { ...i32({ columns }), epsilon: { f32: epsilon }, slope: { f32: slope } },
  });
  return [y, mean, variance];
}

/**
 * dx, dgamma and dbeta.
 * @param options.activation where y was activated: the slope below 0, and what else its sign depends on.
 */
export function batchNormGradients(
  backend: WebGPUBackend,
  { dy, x, gamma, mean, variance }: Record<'dy' | 'x' | 'gamma' | 'mean' | 'variance', TensorInfo>,
  { epsilon, activation }: { epsilon: number; activation?: { slope: number; beta: TensorInfo } },
): TensorInfo[] {
  const { rows, columns, parts, rowsPerPart } = split(x.shape);
  const shaders = activation ? GRADIENTS.activated : GRADIENTS.plain;
  const uniforms = {
    ...i32({ rows, columns, rowsPerPart }),
    epsilon: { f32: epsilon },
    slope: { f32: activation?.slope ?? 1 },
  };
  const activatedBy = activation ? { gamma, beta: activation.beta } : {};
  const partial = runShader(backend, shaders.parts, {
    inputs: { dy, x, mean, variance, ...activatedBy },
    shape: [parts, 2, columns],
    uniforms,
    threads: parts * columns,
  });
  const [dbeta, dgamma] = [newTensor(backend, [columns]), newTensor(backend, [columns])];
  const tensors = { firsts: dbeta, seconds: dgamma, parts: partial };
  reduceColumns(backend, SUM_PAIRS, { columns, tensors }, { parts });
  const dx = runShader(backend, shaders.dx, {
    inputs: { dy, x, mean, variance, dgamma, dbeta, gamma, ...activatedBy },
    shape: x.shape,
    uniforms,
  });
  return [dx, dgamma, dbeta];
}
