/**
 * The training kernels of `@killme/model` by the operations that TensorFlow has for them: one pass
 * over the data where the compositions take three to ten.
 *
 * @module
 */

import * as tf from '@tensorflow/tfjs-core';
import { sampleDropoutMask } from './dropout.ts';
import { registerActivationGradients } from './gradients.ts';
import { type Attr, DType, execute, executeOne, type TensorflowBackend } from './op.ts';

interface Call {
  inputs: tf.NamedTensorMap;
  attrs: tf.NamedAttrMap;
  backend: TensorflowBackend;
}

type Kernel = (call: Call) => tf.Tensor | tf.Tensor[];
type Shape4D = [number, number, number, number];

const FLOAT = { type: DType.float } as const;

/** Gives the kernels to the `tensorflow` backend, in place of those it has. */
export function registerTensorflowKernels(): void {
  if (tf.getKernel('BatchNormTrain', 'tensorflow')) return;
  const kernels = { ...KERNELS, Sum: biasSum(tf.getKernel('Sum', 'tensorflow')) };
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, 'tensorflow')) tf.unregisterKernel(kernelName, 'tensorflow');
    tf.registerKernel({
      kernelName,
      backendName: 'tensorflow',
      // runKernel passes the tensors themselves on, typed as the infos that they extend.
      kernelFunc: ({ inputs, attrs, backend }) =>
        tf.tidy(() =>
          kernel({
            inputs: inputs as tf.NamedTensorMap,
            attrs: attrs ?? {},
            backend: backend as TensorflowBackend,
          }),
        ),
    });
  }
  registerActivationGradients();
}

const KERNELS: Record<string, Kernel> = {
  BatchNormTrain({ inputs: { x, gamma, beta }, attrs: { epsilon }, backend }) {
    const none = tf.tensor1d([]);
    const [y, mean, unbiased] = execute(
      backend,
      { name: 'FusedBatchNormV3', attrs: batchNormAttrs(epsilon as number), outputs: 6 },
      [x!, gamma!, beta!, none, none],
    );
    // TensorFlow divides by n − 1, for a moving average.
    const n = x!.size / mean!.size;
    return [y!, mean!, tf.mul(unbiased!, (n - 1) / n)];
  },

  BatchNormTrainGrad({ inputs: { dy, x, gamma, mean, variance }, attrs: { epsilon }, backend }) {
    // This input is the variance for the CPU's kernel, its inverse root for cuDNN's.
    const spread = backend.isUsingGpuDevice
      ? tf.rsqrt(tf.add(variance!, epsilon as number))
      : variance!;
    return execute(
      backend,
      { name: 'FusedBatchNormGradV3', attrs: batchNormAttrs(epsilon as number), outputs: 5 },
      [dy!, x!, gamma!, mean!, spread, tf.tensor1d([])],
    ).slice(0, 3);
  },

  UpsampleConv2D({ inputs: { x, filter } }) {
    const [n, height, width] = x!.shape as Shape4D;
    const shape: Shape4D = [n, 2 * height, 2 * width, filter!.shape[3]!];
    return tf.conv2dTranspose(x as tf.Tensor4D, transposedFilter(filter!), shape, 2, 'same');
  },

  UpsampleConv2DGrad({ inputs: { dy, x, filter }, backend }) {
    const kernel = transposedFilter(filter!);
    const dx = tf.conv2d(dy as tf.Tensor4D, kernel, 2, 'same');
    const dkernel = backend.isUsingGpuDevice
      ? filterGradientOf(dy as tf.Tensor4D, x as tf.Tensor4D, {
          strides: 2,
          pad: 'same',
          filterShape: kernel.shape,
        })
      : transposedFilterGradient(dy as tf.Tensor4D, x as tf.Tensor4D);
    return [dx, filterGradient(dkernel)];
  },

  AdamStep({ inputs, attrs, backend }) {
    const { parameter, firstMoment, secondMoment, gradient, rate } = inputs;
    const variables = [parameter!, firstMoment!, secondMoment!].map((value, i) =>
      createVariable(backend, value, `killme/${i}`),
    );
    // The corrections for the first steps are in the rate already: both powers of beta are 0.
    const scalars = [0, 0, rate!, attrs.beta1, attrs.beta2, attrs.epsilon].map((value) =>
      typeof value === 'number' ? tf.scalar(value) : (value as tf.Scalar),
    );
    execute(
      backend,
      {
        name: 'ResourceApplyAdam',
        attrs: { T: FLOAT, use_locking: { bool: false }, use_nesterov: { bool: false } },
        outputs: 0,
      },
      [...variables, ...scalars, gradient!],
    );
    return variables.map((variable) => takeVariable(backend, variable));
  },

  DropoutMask({ inputs: { key }, attrs, backend }) {
    const { shape, rate } = attrs as { shape: number[]; rate: number };
    return sampleDropoutMask(backend, { shape, rate, key: key as tf.Tensor1D });
  },
};

/**
 * A sum over all axes but the last, which is what the gradient of a bias is, in a third of the time
 * of TensorFlow's `Sum`; any other sum by the kernel that was there.
 */
function biasSum(plain: tf.KernelConfig): Kernel {
  return ({ inputs: { x }, attrs, backend }) => {
    const axes = [attrs.axis as number | number[]].flat();
    const leading = axes.length === x!.rank - 1 && axes.every((axis, i) => axis === i);
    if (leading && x!.rank > 1 && x!.dtype === 'float32' && attrs.keepDims !== true) {
      return executeOne(backend, { name: 'BiasAddGrad', attrs: { T: FLOAT } }, [x!]);
    }
    return plain.kernelFunc({ inputs: { x: x! }, attrs, backend }) as tf.Tensor;
  };
}

function batchNormAttrs(epsilon: number): Record<string, Attr> {
  return {
    T: FLOAT,
    U: FLOAT,
    epsilon: { float: epsilon },
    data_format: { string: 'NHWC' },
    is_training: { bool: true },
  };
}

/**
 * Upsampling 2×, then convolving 3×3 is a transposed convolution of stride 2 with a 4×4 kernel: an
 * input pixel spreads over the two rows that it becomes and one more on each side. Tap by tap, the
 * rows that 3×3 taps k₀ k₁ k₂ turn into are k₂, k₁ + k₂, k₀ + k₁, k₀; columns alike.
 */
const TAP_SUMS = [
  [0, 0, 1],
  [0, 1, 1],
  [1, 1, 0],
  [1, 0, 0],
];

/** `[16, 9]`: the 4×4 taps from the 3×3 ones. */
const TAP_MATRIX = TAP_SUMS.flatMap((row) =>
  TAP_SUMS.map((column) => row.flatMap((r) => column.map((c) => r * c))),
);

/** `[3, 3, channelsIn, channelsOut]` → `[4, 4, channelsOut, channelsIn]`. */
function transposedFilter(filter: tf.Tensor): tf.Tensor4D {
  const [, , channelsIn, channelsOut] = filter.shape as Shape4D;
  const flat = tf.reshape(filter, [9, channelsIn * channelsOut]) as tf.Tensor2D;
  const taps = tf.matMul(tf.tensor2d(TAP_MATRIX), flat);
  return tf.transpose(tf.reshape(taps, [4, 4, channelsIn, channelsOut]), [0, 1, 3, 2]);
}

/**
 * The gradient of the filter of the transposed convolution: such a one is the gradient of a convolution, so what goes
 * in and what comes out change places. On the CPU (oneDNN) a gradient with a stride of 2 takes up to 1.7 times as long
 * as with 1, so the pixels of dy are put in cells of 2×2 first, over which the kernel is one of 2×2.
 * @returns `[4, 4, channelsOut, channelsIn]`
 */
function transposedFilterGradient(dy: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D {
  const [channelsOut, channelsIn] = [dy.shape[3], x.shape[3]];
  const gradient = filterGradientOf(cellsOf(dy), x, {
    strides: 1,
    pad: 'valid',
    filterShape: [2, 2, 4 * channelsOut, channelsIn],
  });
  // [cell row, cell column, row in it, column in it, …] to rows and columns
  const taps = tf.reshape(gradient, [2, 2, 2, 2, channelsOut * channelsIn]);
  return tf.reshape(tf.transpose(taps, [0, 2, 1, 3, 4]), [4, 4, channelsOut, channelsIn]);
}

/** `[n, h, w, c]`, with zeros around it, in cells of 2×2: `[n, h / 2 + 1, w / 2 + 1, 4c]`. */
function cellsOf(y: tf.Tensor4D): tf.Tensor4D {
  const [n, height, width, channels] = y.shape;
  const [down, across] = [height / 2 + 1, width / 2 + 1];
  return tf.tidy(() => {
    const padded = tf.pad(y, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
    const rows = tf.reshape(padded, [n * down, 2, across, 2 * channels]);
    return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [n, down, across, 4 * channels]);
  });
}

function filterGradientOf(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  attrs: { strides: number; pad: 'same' | 'valid'; filterShape: number[] },
): tf.Tensor4D {
  const all = { ...attrs, dataFormat: 'NHWC' };
  return tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, all) as tf.Tensor4D;
}

/** The transpose of {@link transposedFilter}, which is linear. */
function filterGradient(gradient: tf.Tensor4D): tf.Tensor4D {
  const [, , channelsOut, channelsIn] = gradient.shape;
  const taps = tf.reshape(tf.transpose(gradient, [0, 1, 3, 2]), [16, channelsIn * channelsOut]);
  const flat = tf.matMul(tf.tensor2d(TAP_MATRIX), taps as tf.Tensor2D, true);
  return tf.reshape(flat, [3, 3, channelsIn, channelsOut]);
}

/**
 * A TensorFlow variable with this value, which operations can update in place. Names are few and
 * used again: TensorFlow keeps a kernel for each that it ever saw.
 */
function createVariable(backend: TensorflowBackend, value: tf.Tensor, name: string): tf.Tensor {
  const variable = executeOne(
    backend,
    {
      name: 'VarHandleOp',
      attrs: {
        container: { string: '' },
        shared_name: { string: name },
        dtype: FLOAT,
        shape: { shape: value.shape },
      },
    },
    [],
  );
  const assign = { name: 'AssignVariableOp', attrs: { dtype: FLOAT }, outputs: 0 };
  execute(backend, assign, [variable, value]);
  return variable;
}

/** The value of a variable, which is no more after this. */
function takeVariable(backend: TensorflowBackend, variable: tf.Tensor): tf.Tensor {
  const value = executeOne(backend, { name: 'ReadVariableOp', attrs: { dtype: FLOAT } }, [
    variable,
  ]);
  const attrs = { ignore_lookup_error: { bool: false } };
  execute(backend, { name: 'DestroyResourceOp', attrs, outputs: 0 }, [variable]);
  return value;
}
