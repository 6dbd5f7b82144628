/**
 * Upsampled 3×3 convolutions, with nine products for four outputs.
 *
 * @module
 */
import type { ConvolutionOp } from '../graph.ts';
import type { Step } from '../step.ts';
import { type Context, finisher, perImage, pixelBytes } from './context.ts';
import { SLACK_PIXELS } from './host.ts';
import { roundKernel, upsampleKernels } from './pack.ts';

/** Products and differences of a block of rows stay in the second-level cache with the kernel. */
const BLOCK_BYTES = 256 * 1024;

export function upsampleConvolve(context: Context, op: ConvolutionOp): Step {
  const { loops, memory } = context;
  const { input } = op;
  const outputs = op.output[2];
  const finish = finisher(context, op.finish, op.bias);
  const blockRows = reserveBlock(context, op);
  const kernel = placeKernels(context, op);
  const run = perImage(context, op, (x, y) => {
    const image = [x, ...input, kernel.packed, ...finish.values] as const;
    const block = [blockRows, memory.scratch, y, outputs] as const;
    if (kernel.scales === undefined) loops.upsampleConvolve(...image, ...block);
    else loops.upsampleConvolveInteger(...image, kernel.scales, ...block);
  });
  return (images) => finish.complete(run(images));
}

/** @returns how many rows of the image are worked on at a time; the scratch has room for them. */
function reserveBlock({ memory }: Context, op: ConvolutionOp): number {
  const [height, width] = op.input;
  const pixel = pixelBytes(op);
  // As laid out in assembly/upsample-convolve.ts.
  const blockBytes = (rows: number) =>
    pixel * (rows * (width + 1) + (rows + 1) * (2 * width + 1) + SLACK_PIXELS) +
    4 * 9 * rows * width * op.output[2];
  let rows = 1;
  while (rows < height && blockBytes(rows + 1) <= BLOCK_BYTES) rows++;
  const roundedBytes =
    op.arithmetic === 'integer' ? Math.ceil((height * width * pixel) / 16) * 16 : 0;
  memory.reserveScratch(roundedBytes + blockBytes(rows));
  return rows;
}

/** The nine kernels; `scales` of integer ones, by output channel. */
function placeKernels({ memory }: Context, op: ConvolutionOp): { packed: number; scales?: number } {
  const [, , channels] = op.input;
  const outputs = op.output[2];
  const matrices = [9, channels, outputs] as const;
  const taps = 9 * channels * outputs;
  if (op.arithmetic === 'integer') {
    const { values, scales } = roundKernel(op.kernel(), outputs, 9);
    const sums = upsampleKernels(values, op.kernelShape, new Int16Array(taps));
    return memory.placePairs({ values: sums, scales }, matrices, channels, 8);
  }
  const sums = upsampleKernels(op.kernel(), op.kernelShape, new Float32Array(taps));
  return { packed: memory.placePanels(sums, matrices, 8) };
}
