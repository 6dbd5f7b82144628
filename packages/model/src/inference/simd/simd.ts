/**
 * The operations of the inference graph on tfjs's wasm backend, by loops of our own (`kernels.wasm`)
 * that work in its memory: the Dense layer straight from its stored encoding, convolutions with
 * their activation, and upsampled convolutions with nine products for four outputs. Whatever else a
 * generator has, tfjs's own kernels do.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HostWeight } from '../../generator-file/weights.ts';
import { product } from '../../networks/layers.ts';
import { type TransposedPhase, transposedPhases } from '../../networks/transposed.ts';
import { unitScales } from '../dense.ts';
import type { ConvolutionOp, DenseOp, Finish } from '../graph.ts';
import { type LatentStep, type Step, type StepMaker, stepOf } from '../steps.ts';
import {
  type IntegerKernel,
  packedLength,
  packedPairsLength,
  packPairs,
  packPanels,
  roundKernel,
  upsampleKernels,
} from './pack.ts';

/** What is used of tfjs's wasm backend. */
export interface WasmTensors {
  makeOutput(shape: number[], dtype: 'float32'): tf.TensorInfo;
  /** Where a tensor's numbers begin, in bytes. */
  getMemoryOffset(id: tf.TensorInfo['dataId']): number;
}

/** tfjs's wasm backend and the memory that its tensors lie in. */
export interface WasmHost {
  tensors: WasmTensors;
  memory: { readonly buffer: ArrayBuffer };
  /** @returns an address, or 0 when there is no memory left. */
  malloc(bytes: number): number;
  free(address: number): void;
}

/** What `kernels.wasm` exports. */
export type Loops = Record<
  | 'pad'
  | 'padInteger'
  | 'convolve'
  | 'convolveInteger'
  | 'upsampleConvolve'
  | 'upsampleConvolveInteger'
  | 'dense',
  (...values: number[]) => void
> & { unitOf(x: number, count: number): number };

/** What follows a sum, numbered as in assembly/finish.ts. */
const ACTIVATION_CODES = { none: 1, relu: 2, tanh: 3 } as const;

/** Numbered as in assembly/dense.ts. */
const ENCODING_CODES = { float32: 0, float16: 1, int8: 2 } as const;

/** Products and differences of a block of rows stay in the second-level cache with the kernel. */
const BLOCK_BYTES = 256 * 1024;

/** Pixels that a tile reads, and drops, behind the last one of a row. */
const SLACK_PIXELS = 8;

/**
 * Makes the steps of one generator.
 * @param loops an instance over the host's memory
 */
export function simdSteps(loops: Loops, host: WasmHost): StepMaker {
  const { memory, tensors } = host;
  const held: number[] = [];
  const kept: tf.Tensor[] = [];
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    kept.push(tensor);
    return tensor;
  };

  function reserve(bytes: number): number {
    const address = host.malloc(bytes);
    if (address === 0) throw new Error(`no wasm memory left for ${bytes} bytes`);
    held.push(address);
    return address;
  }

  /** Where numbers lie in the memory; a copy of them, unless `kernelRoom` has put them there. */
  function place(values: Float32Array | Uint16Array | Int8Array): number {
    if (values.buffer === memory.buffer) return values.byteOffset;
    const address = reserve(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(memory.buffer, address).set(bytes);
    return address;
  }

  /** @param write fills the numbers, which lie in the memory. */
  function placeNumbers(length: number, write: (numbers: Float32Array) => void): number {
    const address = reserve(4 * length);
    write(new Float32Array(memory.buffer, address, length));
    return address;
  }

  const placePanels = (
    kernel: Float32Array,
    matrices: readonly [number, number, number],
    width?: number,
  ) =>
    placeNumbers(packedLength(matrices, width), (packed) =>
      packPanels(kernel, matrices, packed, width),
    );

  /** Integer kernels, packed, and what a step of each output channel is worth. */
  function placePairs(
    kernel: IntegerKernel,
    matrices: readonly [number, number, number],
    channels: number,
    width?: number,
  ) {
    const length = packedPairsLength(matrices, channels, width);
    const packed = reserve(2 * length);
    const room = new Int16Array(memory.buffer, packed, length);
    packPairs(kernel.values, matrices, channels, room, width);
    return { packed, scales: placeTable(kernel.scales, kernel.scales.length) };
  }

  /** Numbers by channel, repeated up to `length`, then zeros up to whole panels; zeros alone without values. */
  const placeTable = (values: Float32Array | undefined, length: number) =>
    placeNumbers(Math.ceil(length / 8) * 8, (padded) => {
      padded.fill(0);
      if (values) for (let i = 0; i < length; i++) padded[i] = values[i % values.length]!;
    });

  // One scratch for all steps, for only one runs at a time.
  let scratch = { address: 0, bytes: 0 };
  function reserveScratch(bytes: number): void {
    if (bytes > scratch.bytes) {
      if (scratch.address !== 0) host.free(scratch.address);
      scratch = { address: host.malloc(bytes), bytes };
      if (scratch.address === 0) throw new Error(`no wasm memory left for ${bytes} bytes`);
    }
  }

  const address = ({ dataId }: tf.TensorInfo) => tensors.getMemoryOffset(dataId);
  const output = (shape: readonly number[]): tf.Tensor4D =>
    tf.engine().makeTensorFromTensorInfo(tensors.makeOutput([...shape], 'float32')) as tf.Tensor4D;

  /** The tables and the number that `finish` in assembly/finish.ts takes, and what it cannot do. */
  function finisher({ activation, after }: Finish, bias: Float32Array) {
    const simple = activation !== 'sigmoid';
    const { length } = bias;
    const tables = [
      placeTable(bias, length),
      placeTable(simple ? after : undefined, length),
    ] as const;
    const code = ACTIVATION_CODES[simple && activation ? activation : 'none'];
    const rest: Step[] = [];
    if (!simple) rest.push(stepOf({ type: 'activation', activation }, keep));
    if (!simple && after)
      rest.push(stepOf({ type: 'affine', scale: undefined, shift: after }, keep));
    return {
      values: [...tables, code],
      complete: (images: tf.Tensor4D) => rest.reduce((x, step) => step(x), images),
    };
  }

  // What a step keeps is in wasm's memory: it must not hold on to its operation, whose numbers would
  // then be there twice.

  /** A step that fills each image of its output from the one of its input. */
  function perImage(
    { input, output: shape }: Pick<ConvolutionOp, 'input' | 'output'>,
    run: (x: number, y: number) => void,
  ): Step {
    const [xBytes, yBytes] = [product(input) * 4, product(shape) * 4];
    return (images) => {
      const y = output([images.shape[0], ...shape]);
      for (let n = 0; n < images.shape[0]; n++) {
        run(address(images) + n * xBytes, address(y) + n * yBytes);
      }
      return y;
    };
  }

  /** A Dense layer; `load` says where in the memory the numbers of an input lie, in the scratch or elsewhere. */
  function dense(op: DenseOp) {
    const inputs = op.kernel.shape[0]!;
    const units = op.bias.length;
    const kernel = place(inFours(op.kernel).values);
    const padded = Math.ceil(units / 4) * 4;
    const given = unitScales(op.kernel, op.scale);
    const scales = placeNumbers(padded, (numbers) => {
      numbers.fill(1);
      if (given) numbers.set(given);
    });
    const finish = finisher(op.finish, op.bias);
    const values = [ENCODING_CODES[op.kernel.encoding], scales, ...finish.values] as const;
    reserveScratch(4 * (inputs + padded));
    return (count: number, load: (n: number, scratch: number) => number): tf.Tensor4D => {
      const y = output([count, 1, 1, units]);
      for (let n = 0; n < count; n++) {
        const x = load(n, scratch.address);
        const sums = scratch.address + 4 * inputs;
        loops.dense(x, inputs, kernel, ...values, sums, padded);
        new Uint8Array(memory.buffer).copyWithin(
          address(y) + 4 * n * units,
          sums,
          sums + 4 * units,
        );
      }
      return finish.complete(y);
    };
  }

  function denseOnLatents(op: DenseOp): LatentStep {
    const run = dense(op);
    const inputs = op.kernel.shape[0]!;
    return (latents, count) =>
      run(count, (n, room) => {
        const latent = latents.subarray(n * inputs, (n + 1) * inputs);
        new Float32Array(memory.buffer, room, inputs).set(latent);
        return room;
      });
  }

  function denseOnImages(op: DenseOp): Step {
    const run = dense(op);
    const bytes = 4 * op.kernel.shape[0]!;
    return (x) => run(x.shape[0], (n) => address(x) + n * bytes);
  }

  function upsampled(op: ConvolutionOp): Step {
    const [height, width, channels] = op.input;
    const outputs = op.output[2];
    const integer = op.arithmetic === 'integer';
    const pixel = pixelBytes(op);
    const matrices = [9, channels, outputs] as const;
    const taps = 9 * channels * outputs;
    const finish = finisher(op.finish, op.bias);
    // As laid out in assembly/upsample-convolve.ts.
    const blockBytes = (rows: number) =>
      pixel * (rows * (width + 1) + (rows + 1) * (2 * width + 1) + SLACK_PIXELS) +
      4 * 9 * rows * width * outputs;
    let blockRows = 1;
    while (blockRows < height && blockBytes(blockRows + 1) <= BLOCK_BYTES) blockRows++;
    const roundedBytes = integer ? Math.ceil((height * width * pixel) / 16) * 16 : 0;
    reserveScratch(roundedBytes + blockBytes(blockRows));
    const shape = [height, width, channels] as const;
    if (integer) {
      const { values, scales } = roundKernel(op.kernel(), outputs, 9);
      const sums = upsampleKernels(values, op.kernelShape, new Int16Array(taps));
      const kernel = placePairs({ values: sums, scales }, matrices, channels, 8);
      const run = perImage(op, (x, y) =>
        loops.upsampleConvolveInteger(
          ...[x, ...shape, kernel.packed, ...finish.values, kernel.scales],
          ...[blockRows, scratch.address, y, outputs],
        ),
      );
      return (images) => finish.complete(run(images));
    }
    const sums = upsampleKernels(op.kernel(), op.kernelShape, new Float32Array(taps));
    const packed = placePanels(sums, matrices, 8);
    const run = perImage(op, (x, y) =>
      loops.upsampleConvolve(
        ...[x, ...shape, packed, ...finish.values, blockRows, scratch.address, y, outputs],
      ),
    );
    return (images) => finish.complete(run(images));
  }

  /** A convolution as it stands, or the phases of a transposed one, over one padded image. */
  function convolution(op: ConvolutionOp): Step {
    const [height, width, channels] = op.input;
    const [, outWidth, outputs] = op.output;
    const integer = op.arithmetic === 'integer';
    const phases = phasesOf(op).map(({ kernel, ...phase }) => {
      const matrices = [1, product(phase.kernelShape) / outputs, outputs] as const;
      return {
        ...phase,
        ...(integer
          ? placePairs(roundKernel(kernel, outputs), matrices, channels)
          : { packed: placePanels(kernel, matrices), scales: 0 }),
      };
    });
    const most = (side: (padding: TransposedPhase['padding']) => number) =>
      Math.max(0, ...phases.map(({ padding }) => side(padding)));
    const [top, bottom] = [most((p) => p.top), most((p) => p.bottom)];
    const [left, right] = [most((p) => p.left), most((p) => p.right)];
    const pixel = pixelBytes(op);
    const row = (left + width + right) * pixel;
    reserveScratch((top + height + bottom) * row + SLACK_PIXELS * op.strides[1] * pixel);
    const finish = finisher(op.finish, op.bias);
    // A transposed convolution writes every strides-th pixel, a plain one reads it.
    const transposed = op.kind === 'transposed';
    const [readRows, readColumns] = transposed ? [1, 1] : op.strides;
    const [writeRows, writeColumns] = transposed ? op.strides : [1, 1];
    const run = perImage(op, (x, y) => {
      const border = [height, width, channels, top, bottom, left, right, scratch.address] as const;
      const unit = integer ? loops.unitOf(x, height * width * channels) : 1;
      if (integer) loops.padInteger(x, ...border, unit);
      else loops.pad(x, ...border);
      for (const { kernelShape, padding, start, size, packed, scales } of phases) {
        const from = scratch.address + (top - padding.top) * row + (left - padding.left) * pixel;
        const run = (kernelShape[1] * pixel) / 4;
        (integer ? loops.convolveInteger : loops.convolve)(
          ...[from, row, readRows * row, readColumns * pixel, kernelShape[0], run],
          ...[packed, ...finish.values, ...(integer ? [scales, unit] : [])],
          ...[y + 4 * (start[0] * outWidth + start[1]) * outputs, ...size],
          ...[4 * writeRows * outWidth * outputs, 4 * writeColumns * outputs, outputs],
        );
      }
    });
    return (images) => finish.complete(run(images));
  }

  return {
    kernelRoom(bytes) {
      const address = reserve(bytes);
      return {
        address,
        get buffer() {
          return memory.buffer;
        },
      };
    },
    dense: denseOnLatents,
    step(op) {
      if (op.type === 'dense') return denseOnImages(op);
      if (op.type !== 'convolution') return stepOf(op, keep);
      return op.kind === 'upsampled' ? upsampled(op) : convolution(op);
    },
    dispose() {
      tf.dispose(kept);
      for (const place of held.splice(0)) host.free(place);
      if (scratch.address !== 0) host.free(scratch.address);
      scratch = { address: 0, bytes: 0 };
    },
  };
}

/** Of one pixel as the tiles read it: numbers, or pairs of rounded ones. */
const pixelBytes = ({ input: [, , channels], arithmetic }: ConvolutionOp) =>
  4 * (arithmetic === 'integer' ? Math.ceil(channels / 2) : channels);

/** The phases of a transposed convolution; a plain one has a single phase. */
function phasesOf(op: ConvolutionOp): TransposedPhase[] {
  const { kind, strides, border, kernelShape, input, output } = op;
  const kernel = op.kernel();
  if (kind === 'transposed') {
    const cropped = [border.top, border.left] as const;
    return transposedPhases({ kernel, kernelShape, strides, cropped, input, output });
  }
  return [{ kernel, kernelShape, padding: border, start: [0, 0], size: [output[0], output[1]] }];
}

/** The same kernel with its units filled up to a multiple of four, as the loop takes them. */
function inFours(kernel: HostWeight): HostWeight {
  const [inputs, units] = kernel.shape as [number, number];
  const padded = Math.ceil(units / 4) * 4;
  if (padded === units) return kernel;
  const widen = <T extends Float32Array | Uint16Array | Int8Array>(from: T, to: T): T => {
    for (let i = 0; i < inputs; i++) to.set(from.subarray(i * units, (i + 1) * units), i * padded);
    return to;
  };
  const shape = [inputs, padded];
  switch (kernel.encoding) {
    case 'float32':
      return { ...kernel, shape, values: widen(kernel.values, new Float32Array(inputs * padded)) };
    case 'float16':
      return { ...kernel, shape, values: widen(kernel.values, new Uint16Array(inputs * padded)) };
    case 'int8':
      return { ...kernel, shape, values: widen(kernel.values, new Int8Array(inputs * padded)) };
  }
}
