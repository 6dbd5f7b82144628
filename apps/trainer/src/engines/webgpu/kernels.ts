/**
 * Kernels for tfjs's WebGPU backend: the training kernels of `@killme/model`, and better ones for
 * what tfjs does naively (the gradient of a convolution's filter) or in many passes.
 *
 * @module
 */
import { product } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { registerActivationGradients } from '../activation-gradients.ts';
import { convolutionInfo } from '../convolution-info.ts';
import { addBias, addBiasGradients } from './bias.ts';
import { batchNorm, batchNormGradients, columnSums } from './columns.ts';
import {
  filterGradient,
  upsampleConvolution,
  upsampleConvolutionGradients,
} from './convolution.ts';
import { dropoutMask } from './dropout.ts';
import { narrowConvolution } from './narrow-convolution.ts';
import { i32, runShader, type Shader, type WebGPUBackend } from './program.ts';
import { type AdamAttrs, adamSteps, moveAverages } from './weights.ts';
import { wideConvolution, wideInputGradient } from './wide-convolution.ts';

type Inputs = Record<string, tf.TensorInfo>;
type Result = tf.TensorInfo | tf.TensorInfo[];

/** @returns undefined for a call that it leaves to the kernel that tfjs has of that name. */
type Kernel = (
  backend: WebGPUBackend,
  inputs: Inputs,
  attrs: tf.NamedAttrMap,
) => Result | undefined;

/** As `convolutionInfo`; undefined also where strides are unequal, which no shader here takes. */
function equalStrides(
  ...call: Parameters<typeof convolutionInfo>
): tf.backend_util.Conv2DInfo | undefined {
  const info = convolutionInfo(...call);
  return info?.strideHeight === info?.strideWidth ? info : undefined;
}

const KERNELS: Record<string, Kernel> = {
  Conv2D(backend, { x, filter }, attrs) {
    const info = equalStrides(x!.shape, filter!.shape, attrs);
    if (!info) return undefined;
    const inputs = { x: x!, filter: filter! };
    return wideConvolution(backend, inputs, info) ?? narrowConvolution(backend, inputs, info);
  },

  Conv2DBackpropInput(backend, { dy, filter }, attrs) {
    const info = equalStrides(attrs.inputShape as number[], filter!.shape, attrs);
    return info && wideInputGradient(backend, { dy: dy!, filter: filter! }, info);
  },

  Conv2DBackpropFilter(backend, { x, dy }, attrs) {
    const info = equalStrides(x!.shape, attrs.filterShape as number[], attrs);
    return info && filterGradient(backend, x!, dy!, info);
  },

  Sum(backend, { x }, { axis, keepDims }) {
    const rank = x!.shape.length;
    const axes = tf.util.parseAxisParam(axis as number | number[], x!.shape).toSorted();
    const allButLast = rank > 1 && axes.length === rank - 1 && axes.every((a, i) => a === i);
    if (x!.dtype !== 'float32' || keepDims || !allButLast || x!.shape.includes(0)) return undefined;
    return columnSums(backend, x!);
  },

  ActivationGrad: (backend, { dy, x }, { slope }) =>
    runShader(backend, ACTIVATION_GRADIENT, {
      inputs: { dy: dy!, x: x! },
      shape: x!.shape,
      uniforms: { slope: { f32: slope as number } },
    }),

  UpsampleConv2D: (backend, { x, filter }) => upsampleConvolution(backend, x!, filter!),

  UpsampleConv2DGrad: (backend, { dy, x, filter }) =>
    upsampleConvolutionGradients(backend, dy!, x!, filter!),

  BatchNormTrain: (backend, { x, gamma, beta }, { epsilon }) =>
    batchNorm(backend, { x: x!, gamma: gamma!, beta: beta! }, { epsilon: epsilon as number }),

  BatchNormTrainGrad: (backend, { dy, x, gamma, mean, variance }, { epsilon }) =>
    batchNormGradients(
      backend,
      { dy: dy!, x: x!, gamma: gamma!, mean: mean!, variance: variance! },
      { epsilon: epsilon as number },
    ),

  ActivatedBatchNorm: (backend, { x, gamma, beta }, attrs) =>
    batchNorm(
      backend,
      { x: x!, gamma: gamma!, beta: beta! },
      attrs as { epsilon: number; slope: number },
    ),

  ActivatedBatchNormGrad(backend, { dy, x, gamma, beta, mean, variance }, attrs) {
    const { epsilon, slope } = attrs as { epsilon: number; slope: number };
    return batchNormGradients(
      backend,
      { dy: dy!, x: x!, gamma: gamma!, mean: mean!, variance: variance! },
      { epsilon, activation: { slope, beta: beta! } },
    );
  },

  ActivatedBias: (backend, { x, bias }, { slope }) =>
    addBias(backend, { x: x!, bias: bias! }, slope as number),

  ActivatedBiasGrad: (backend, { dy, y }, { slope }) =>
    addBiasGradients(backend, { dy: dy!, y: y! }, slope as number),

  DropoutMask: (backend, { key }, { shape, rate }) =>
    dropoutMask(backend, { shape: shape as number[], rate: rate as number, key: key! }),

  TranslateImages(backend, { images, shifts }) {
    const [, height, width, channels] = images!.shape as [number, number, number, number];
    return runShader(backend, TRANSLATE_IMAGES, {
      inputs: { images: images!, shifts: shifts! },
      shape: images!.shape,
      uniforms: i32({ height, width, channels }),
    });
  },

  CutoutMasks(backend, { corners }, attrs) {
    const { height, width, side } = attrs as Record<string, number>;
    return runShader(backend, CUTOUT_MASKS, {
      inputs: { corners: corners! },
      shape: [corners!.shape[0]!, height!, width!, 1],
      uniforms: i32({ height: height!, width: width!, side: side! }),
    });
  },

  GatherImages: (backend, { bytes, levels, indices }, { shape }) => {
    const [, ...image] = shape as number[];
    return runShader(backend, GATHER_IMAGES, {
      inputs: { bytes: bytes!, levels: levels!, indices: indices! },
      shape: shape as number[],
      uniforms: i32({ pixels: product(image) }),
    });
  },

  MoveAverages: (backend, inputs) => moveAverages(backend, Object.values(inputs)),

  AdamSteps: (backend, inputs, attrs) =>
    adamSteps(backend, Object.values(inputs), attrs as unknown as AdamAttrs),
};

const ACTIVATION_GRADIENT: Shader = {
  name: 'activationGradient',
  body: 'result[index] = dy[index] * select(uniforms.slope, 1.0, x[index] > 0.0);',
};

const TRANSLATE_IMAGES: Shader = {
  name: 'translateImages',
  body: `
    let channel = index % uniforms.channels;
    let pixel = index / uniforms.channels;
    let image = pixel / uniforms.width / uniforms.height;
    let row = (pixel / uniforms.width) % uniforms.height - shifts[2 * image];
    let column = pixel % uniforms.width - shifts[2 * image + 1];
    result[index] = 0.0;
    if (row >= 0 && row < uniforms.height && column >= 0 && column < uniforms.width) {
      let from_ = (image * uniforms.height + row) * uniforms.width + column;
      result[index] = images[from_ * uniforms.channels + channel];
    }`,
};

/** Of images of one byte for each number, four in a word. */
const GATHER_IMAGES: Shader = {
  name: 'gatherImages',
  body: `
    let at = u32(indices[index / uniforms.pixels]) * u32(uniforms.pixels) + u32(index % uniforms.pixels);
    let level = (u32(bytes[at / 4u]) >> (8u * (at % 4u))) & 0xffu;
    result[index] = levels[level];`,
};

const CUTOUT_MASKS: Shader = {
  name: 'cutoutMasks',
  body: `
    let image = index / uniforms.width / uniforms.height;
    let row = (index / uniforms.width) % uniforms.height - corners[2 * image];
    let column = index % uniforms.width - corners[2 * image + 1];
    let inside = row >= 0 && row < uniforms.side && column >= 0 && column < uniforms.side;
    result[index] = select(1.0, 0.0, inside);`,
};

/** Gives the kernels to the `webgpu` backend, in place of those it has. Call it once. */
export function registerWebgpuKernels(): void {
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    const plain = tf.getKernel(kernelName, 'webgpu');
    if (plain) tf.unregisterKernel(kernelName, 'webgpu');
    tf.registerKernel({
      kernelName,
      backendName: 'webgpu',
      kernelFunc: (call) => {
        const backend = call.backend as WebGPUBackend;
        const result = kernel(backend, call.inputs as Inputs, call.attrs ?? {});
        if (result) return result;
        if (!plain) throw new Error(`${kernelName}: not for these shapes and settings on webgpu`);
        return plain.kernelFunc(call);
      },
    });
  }
  registerActivationGradients('webgpu');
}
