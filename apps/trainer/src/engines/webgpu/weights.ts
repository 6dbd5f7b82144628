/**
 * What is done to all weights of a network in each step: Adam, and moving averages. A few dispatches for the whole
 * network, in place.
 *
 * @module
 */
import { product } from '@killme/model';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import {
  EACH,
  GROUP_SUM,
  type InPlaceShader,
  LANES,
  newTensor,
  ownTensor,
  runInPlace,
} from './in-place.ts';
import type { WebGPUBackend } from './program.ts';

/** The attributes of the kernel `AdamSteps`. */
export interface AdamAttrs {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** See `adamSteps` of `@killme/model/training`; 0 for none. */
  longest: number;
  leastSquare: number;
}

/** Parts of the sum of a tensor's squares, at most: each is a workgroup's. */
const PARTS = LANES;
/** Numbers of such a part, at least. */
const LEAST_SHARE = 4 * LANES;

const MOVE_AVERAGES: InPlaceShader = {
  name: 'moveAverages',
  written: ['average'],
  read: ['value'],
  common: ['share'],
  body: (array) =>
    `${EACH} { ${array('average')}[i] += share[0] * (${array('value')}[i] - ${array('average')}[i]); }`,
};

/** Of each tensor `[parts]`: the sums of the squares of g / √v, where v is what the second moment will be. */
const UPDATE_SQUARES: InPlaceShader = {
  name: 'updateSquares',
  written: ['parts'],
  read: ['gradient', 'second'],
  declarations: GROUP_SUM,
  body: (array) => `
    var sum = 0.0;
    ${EACH} {
      let square = ${array('gradient')}[i] * ${array('gradient')}[i];
      let second = ${array('second')}[i];
      sum += square / (second + uniforms.secondShare * (square - second) + uniforms.leastSquare);
    }
    let total = groupSum(lane, sum);
    if (lane == 0) { ${array('parts')}[part] = total; }`,
};

const adamBody = (array: (name: string) => string, rate: string): string => `
    let step = ${rate};
    ${EACH} {
      let g = ${array('gradient')}[i];
      let first = ${array('first')}[i] + uniforms.firstShare * (g - ${array('first')}[i]);
      let second = ${array('second')}[i] + uniforms.secondShare * (g * g - ${array('second')}[i]);
      ${array('first')}[i] = first;
      ${array('second')}[i] = second;
      ${array('parameter')}[i] -= step * first / (sqrt(second) + uniforms.epsilon);
    }`;

const ADAM: InPlaceShader = {
  name: 'adam',
  written: ['parameter', 'first', 'second'],
  read: ['gradient'],
  common: ['rate'],
  body: (array) => adamBody(array, 'rate[0]'),
};

/** Each workgroup adds up the parts of its tensor's squares once more. */
const CLIPPED_ADAM: InPlaceShader = {
  ...ADAM,
  name: 'clippedAdam',
  read: ['gradient', 'parts'],
  declarations: GROUP_SUM,
  body: (array) => `
    var own = 0.0;
    if (lane < i32(arrayLength(&${array('parts')}))) { own = ${array('parts')}[lane]; }
    let size = sqrt(groupSum(lane, own) / f32(count)) * rate[0] / uniforms.longest;
    ${adamBody(array, 'rate[0] / max(size, 1.0)')}`,
};

/** @param inputs share, then the averages, then their values. */
export function moveAverages(
  backend: WebGPUBackend,
  [share, ...tensors]: readonly TensorInfo[],
): TensorInfo[] {
  const count = tensors.length / 2;
  const averages = tensors.slice(0, count).map((tensor) => ownTensor(backend, tensor));
  const sets = averages.map((average, i) => ({
    tensors: { average, value: tensors[count + i]! },
    count: product(average.shape),
  }));
  runInPlace(backend, MOVE_AVERAGES, { sets, common: { share: share! } });
  return averages;
}

/**
 * @param inputs rate, then parameters, first and second moments and gradients, all parameters first.
 * @returns parameters, then first, then second moments.
 */
export function adamSteps(
  backend: WebGPUBackend,
  [rate, ...tensors]: readonly TensorInfo[],
  { beta1, beta2, epsilon, longest, leastSquare }: AdamAttrs,
): TensorInfo[] {
  const count = tensors.length / 4;
  const owned = tensors.slice(0, 3 * count).map((tensor) => ownTensor(backend, tensor));
  const sets = Array.from({ length: count }, (_, i) => ({
    tensors: {
      parameter: owned[i]!,
      first: owned[count + i]!,
      second: owned[2 * count + i]!,
      gradient: tensors[3 * count + i]!,
    },
    count: product(owned[i]!.shape),
  }));
  const common = { rate: rate! };
  const secondShare = { f32: 1 - beta2 };
  const uniforms = {
    firstShare: { f32: 1 - beta1 },
    secondShare,
    epsilon: { f32: epsilon },
  };
  if (!longest) {
    runInPlace(backend, ADAM, { sets, common, uniforms });
    return owned;
  }
  const squared = sets.map(({ tensors, count }) => {
    const share = LANES * Math.ceil(Math.max(LEAST_SHARE, count / PARTS) / LANES);
    const parts = newTensor(backend, [Math.ceil(count / share)]);
    return { tensors: { ...tensors, parts }, count, share };
  });
  runInPlace(backend, UPDATE_SQUARES, {
    sets: squared,
    uniforms: { secondShare, leastSquare: { f32: leastSquare } },
  });
  runInPlace(backend, CLIPPED_ADAM, {
    sets: squared.map(({ tensors, count }) => ({ tensors, count })),
    common,
    uniforms: { ...uniforms, longest: { f32: longest } },
  });
  for (const { tensors } of squared) backend.disposeData(tensors.parts.dataId);
  return owned;
}
