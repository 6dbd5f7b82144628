/**
 * Run in a process of its own by `npm run setup:tensorflow`: loads the binding, checks a matrix
 * product and a convolution against numbers worked out by hand, and prints what was loaded.
 *
 * @module
 */

import { conv2d, matMul, tensor2d, tensor4d } from '@tensorflow/tfjs-core';
import { startTensorflow } from './tensorflow.ts';

async function main(): Promise<void> {
  const engine = await startTensorflow();
  const a = tensor2d([1, 2, 3, 4], [2, 2]);
  expectEqual('matrix product', await matMul(a, a).data(), [7, 10, 15, 22]);
  const image = tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  const kernel = tensor4d([1, 0, 0, -1], [2, 2, 1, 1]);
  expectEqual('convolution', await conv2d(image, kernel, 1, 'valid').data(), [-4, -4, -4, -4]);
  console.log(JSON.stringify(engine));
}

function expectEqual(what: string, got: ArrayLike<number>, expected: number[]): void {
  if (expected.some((value, i) => got[i] !== value)) {
    throw new Error(`${what} gave ${Array.from(got)} instead of ${expected}`);
  }
}

await main();
