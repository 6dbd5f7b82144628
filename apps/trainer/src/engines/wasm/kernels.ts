/**
 * Kernels for tfjs's wasm backend: those that it lacks, those that are naive there, and the
 * training kernels of `@killme/model`, all as threaded SIMD loops (simd/).
 *
 * @module
 */
import { product } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { registerActivationGradients } from '../activation-gradients.ts';
import { convolutionInfo } from '../convolution-info.ts';
import { convolution, filterGradient, imageGradient } from './convolution.ts';
import type { Heap } from './heap.ts';
import { matMul } from './matmul.ts';
import { batchNorm, batchNormGradients, columnSums } from './normalization.ts';
import { upsampleConvolution, upsampleConvolutionGradients } from './upsampling.ts';

type Inputs = Record<string, tf.TensorInfo>;
type Result = tf.TensorInfo | tf.TensorInfo[];

/** @returns undefined for a call that it leaves to the kernel that tfjs has of that name. */
type Kernel = (heap: Heap, inputs: Inputs, attrs: tf.NamedAttrMap) => Result | undefined;

const KERNELS: Record<string, Kernel> = {
  Conv2D(heap, { x, filter }, attrs) {
    const info = convolutionInfo(x!.shape, filter!.shape, attrs);
    return info && convolution(heap, x!, filter!, info);
  },

  Conv2DBackpropInput(heap, { dy, filter }, attrs) {
    const info = convolutionInfo(attrs.inputShape as number[], filter!.shape, attrs);
    return info && imageGradient(heap, dy!, filter!, info);
  },

  Conv2DBackpropFilter(heap, { x, dy }, attrs) {
    const info = convolutionInfo(x!.shape, attrs.filterShape as number[], attrs);
    return info && filterGradient(heap, x!, dy!, info);
  },

  BatchMatMul: (heap, { a, b }, { transposeA, transposeB }) =>
    matMul(heap, a!, b!, Boolean(transposeA), Boolean(transposeB)),

  // tfjs's own copies the numbers.
  Identity: (heap, { x }) => (x!.dtype === 'string' ? undefined : heap.share(x!)),

  // The rest are element-wise or by channel.
  Add(heap, { a, b }) {
    const channels = a!.shape.at(-1);
    if (!isFloat(a!, b!) || b!.shape.length !== 1 || b!.shape[0] !== channels) return undefined;
    const y = heap.output(a!.shape);
    const addresses = [a!, b!, y].map(heap.address);
    heap.threads.run('addBias', ...addresses, product(a!.shape) / channels!, channels!);
    return y;
  },

  Multiply(heap, { a, b }) {
    if (!isFloat(a!, b!) || a!.shape.join() !== b!.shape.join()) return undefined;
    return pass(heap, 'multiply', [a!, b!]);
  },

  Relu: (heap, { x }) => (isFloat(x!) ? pass(heap, 'relu', [x!]) : undefined),

  LeakyRelu: (heap, { x }, { alpha }) =>
    isFloat(x!) ? pass(heap, 'gate', [x!, x!], alpha as number) : undefined,

  Sum(heap, { x }, { axis, keepDims }) {
    const rank = x!.shape.length;
    const axes = tf.util.parseAxisParam(axis as number | number[], x!.shape).toSorted();
    const allButLast = rank > 1 && axes.length === rank - 1 && axes.every((a, i) => a === i);
    if (!isFloat(x!) || keepDims || !allButLast || product(x!.shape) === 0) return undefined;
    return columnSums(heap, x!);
  },

  ActivationGrad: (heap, { dy, x }, { slope }) => pass(heap, 'gate', [dy!, x!], slope as number),

  UpsampleConv2D: (heap, { x, filter }) => upsampleConvolution(heap, x!, filter!),

  UpsampleConv2DGrad: (heap, { dy, x, filter }) =>
    upsampleConvolutionGradients(heap, dy!, x!, filter!),

  BatchNormTrain: (heap, { x, gamma, beta }, { epsilon }) =>
    batchNorm(heap, x!, gamma!, beta!, epsilon as number),

  BatchNormTrainGrad: (heap, { dy, x, gamma, mean, variance }, { epsilon }) =>
    batchNormGradients(heap, dy!, x!, gamma!, mean!, variance!, epsilon as number),

  DropoutMask(heap, { key }, { shape, rate }) {
    const mask = heap.output(shape as number[]);
    const share = rate as number;
    const state = heap.ints(heap.address(key!), 4).slice();
    const entries = [product(mask.shape), Math.round(share * 65536), 1 / (1 - share)];
    heap.threads.call('dropoutMask', heap.address(mask), ...entries, ...state);
    return mask;
  },

  AdamStep(heap, { parameter, firstMoment, secondMoment, gradient, rate }, attrs) {
    const { beta1, beta2, epsilon } = attrs as Record<string, number>;
    const inputs = [parameter!, firstMoment!, secondMoment!, gradient!];
    const outputs = [0, 1, 2].map(() => heap.output(parameter!.shape));
    const addresses = [...inputs, ...outputs].map(heap.address);
    const [step] = heap.floats(heap.address(rate!), 1);
    const factors = [step!, 1 - beta1!, 1 - beta2!, epsilon!];
    heap.threads.run('adam', ...addresses, product(parameter!.shape), ...factors);
    return outputs;
  },
};

/** Gives the kernels to the `wasm` backend, in place of those it has. Call it once. */
export function registerWasmKernels(heap: Heap): void {
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    const plain = tf.getKernel(kernelName, 'wasm');
    if (plain) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: (call) => {
        const result = kernel(heap, call.inputs as Inputs, call.attrs ?? {});
        if (result) return result;
        if (!plain) throw new Error(`${kernelName}: not for these shapes and settings on wasm`);
        return plain.kernelFunc(call);
      },
    });
  }
  registerActivationGradients('wasm');
}

/** An element-wise loop: (…inputs, output, size, …values). */
function pass(heap: Heap, loop: string, inputs: tf.TensorInfo[], ...values: number[]) {
  const y = heap.output(inputs[0]!.shape);
  const size = product(y.shape);
  heap.threads.run(loop, ...[...inputs, y].map(heap.address), size, ...values);
  return y;
}

function isFloat(...tensors: tf.TensorInfo[]): boolean {
  return tensors.every(({ dtype }) => dtype === 'float32');
}
