import * as tf from '@tensorflow/tfjs-core';
import { product } from '../../networks/layers.ts';
import type { ConvolutionOp, Finish } from '../graph.ts';
import type { Keep, Step } from '../step.ts';
import { stepOf } from '../steps.ts';
import type { Loops, WasmTensors } from './host.ts';
import type { StepMemory } from './memory.ts';

/** What the steps of one generator are made with. */
export interface Context {
  loops: Loops;
  tensors: WasmTensors;
  memory: StepMemory;
  keep: Keep;
}

/** Where a tensor's numbers begin in the memory. */
export const addressOf = ({ tensors }: Context, { dataId }: tf.TensorInfo): number =>
  tensors.getMemoryOffset(dataId);

/** A tensor for a step to fill. */
export const outputOf = ({ tensors }: Context, shape: readonly number[]): tf.Tensor4D =>
  tf.engine().makeTensorFromTensorInfo(tensors.makeOutput([...shape], 'float32')) as tf.Tensor4D;

/** A step that fills each image of its output from the one of its input. */
export function perImage(
  context: Context,
  { input, output: shape }: Pick<ConvolutionOp, 'input' | 'output'>,
  run: (x: number, y: number) => void,
): Step {
  const [xBytes, yBytes] = [product(input) * 4, product(shape) * 4];
  return (images) => {
    const y = outputOf(context, [images.shape[0], ...shape]);
    for (let n = 0; n < images.shape[0]; n++) {
      run(addressOf(context, images) + n * xBytes, addressOf(context, y) + n * yBytes);
    }
    return y;
  };
}

/** What follows a sum, numbered as in assembly/finish.ts. */
const ACTIVATION_CODES = { none: 1, relu: 2, tanh: 3 } as const;

/** The tables and the number that `finish` in assembly/finish.ts takes, and what it cannot do. */
export function finisher(
  { memory, keep }: Context,
  { activation, after }: Finish,
  bias: Float32Array,
) {
  const simple = activation !== 'sigmoid';
  const { length } = bias;
  const tables = [
    memory.placeTable(bias, length),
    memory.placeTable(simple ? after : undefined, length),
  ] as const;
  const code = ACTIVATION_CODES[simple && activation ? activation : 'none'];
  const rest: Step[] = [];
  if (!simple) rest.push(stepOf({ type: 'activation', activation }, keep));
  if (!simple && after) rest.push(stepOf({ type: 'affine', scale: undefined, shift: after }, keep));
  return {
    values: [...tables, code],
    complete: (images: tf.Tensor4D) => rest.reduce((x, step) => step(x), images),
  };
}

/** Of one pixel as the tiles read it: numbers, or pairs of rounded ones. */
export const pixelBytes = ({ input: [, , channels], arithmetic }: ConvolutionOp): number =>
  4 * (arithmetic === 'integer' ? Math.ceil(channels / 2) : channels);
