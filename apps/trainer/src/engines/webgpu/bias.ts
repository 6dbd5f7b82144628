/**
 * Adding a bias and activating the sum in one pass, and the gradient of both.
 *
 * @module
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { split, sumColumns } from './columns.ts';
import { EACH, type InPlaceShader, LANES, newTensor, runInPlace } from './in-place.ts';
import { i32, runShader, type Shader, type WebGPUBackend } from './program.ts';

/** `slope` is that of the activation below 0. */
const ADD_BIAS: Shader = {
  name: 'addBias',
  body: `
    let sum = x[index] + bias[index % uniforms.columns];
    result[index] = sum * select(uniforms.slope, 1.0, sum > 0.0);`,
};

/** The gradient of ADD_BIAS, and its sums over runs of rows, `[parts, columns]`, a lane for each. */
const BIAS_GRADIENT: InPlaceShader = {
  name: 'biasGradient',
  written: ['dx', 'parts'],
  read: ['dy', 'y'],
  body: (array) => `
    ${EACH} {
      let column = i % uniforms.columns;
      let first = i / uniforms.columns * uniforms.rowsPerPart;
      let last = min(first + uniforms.rowsPerPart, uniforms.rows);
      var sum = 0.0;
      for (var row = first; row < last; row++) {
        let at = row * uniforms.columns + column;
        let gradient = ${array('dy')}[at] * select(uniforms.slope, 1.0, ${array('y')}[at] > 0.0);
        ${array('dx')}[at] = gradient;
        sum += gradient;
      }
      ${array('parts')}[i] = sum;
    }`,
};

/** @param inputs x `[…, columns]` and bias `[columns]` */
export function addBias(
  backend: WebGPUBackend,
  { x, bias }: Record<'x' | 'bias', TensorInfo>,
  slope: number,
): TensorInfo {
  return runShader(backend, ADD_BIAS, {
    inputs: { x, bias },
    shape: x.shape,
    uniforms: { ...i32({ columns: x.shape.at(-1)! }), slope: { f32: slope } },
  });
}

/** dx and dbias. */
export function addBiasGradients(
  backend: WebGPUBackend,
  { dy, y }: Record<'dy' | 'y', TensorInfo>,
  slope: number,
): TensorInfo[] {
  const { rows, columns, parts, rowsPerPart } = split(y.shape);
  const dx = newTensor(backend, y.shape);
  const partial = newTensor(backend, parts === 1 ? [columns] : [parts, columns]);
  runInPlace(backend, BIAS_GRADIENT, {
    sets: [{ tensors: { dx, parts: partial, dy, y }, count: parts * columns, share: LANES }],
    uniforms: { ...i32({ rows, columns, rowsPerPart }), slope: { f32: slope } },
  });
  return [dx, parts === 1 ? partial : sumColumns(backend, partial)];
}
