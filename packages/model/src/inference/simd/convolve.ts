/**
 * Convolutions as they stand, and the phases of transposed ones, over one padded image.
 *
 * @module
 */
import { product } from '../../networks/layers.ts';
import { type TransposedPhase, transposedPhases } from '../../networks/transposed.ts';
import type { ConvolutionOp } from '../graph.ts';
import type { Step } from '../step.ts';
import { type Context, finisher, perImage, pixelBytes } from './context.ts';
import { SLACK_PIXELS } from './host.ts';
import { roundKernel } from './pack.ts';

/** A phase whose kernel lies in the memory; `scales` is 0 for float32. */
type PlacedPhase = Omit<TransposedPhase, 'kernel'> & { packed: number; scales: number };

export function convolve(context: Context, op: ConvolutionOp): Step {
  const { loops, memory } = context;
  const [height, width, channels] = op.input;
  const integer = op.arithmetic === 'integer';
  const phases = placePhases(context, op);
  const { top, bottom, left, right } = largestPadding(phases);
  const pixel = pixelBytes(op);
  const row = (left + width + right) * pixel;
  memory.reserveScratch((top + height + bottom) * row + SLACK_PIXELS * op.strides[1] * pixel);
  const finish = finisher(context, op.finish, op.bias);
  const convolvePhase = phaseRunner(context, op, { row, values: finish.values });
  const run = perImage(context, op, (x, y) => {
    const scratch = memory.scratch;
    const border = [height, width, channels, top, bottom, left, right, scratch] as const;
    const unit = integer ? loops.unitOf(x, height * width * channels) : 1;
    if (integer) loops.padInteger(x, ...border, unit);
    else loops.pad(x, ...border);
    for (const phase of phases) {
      const { padding } = phase;
      const from = scratch + (top - padding.top) * row + (left - padding.left) * pixel;
      convolvePhase(phase, from, y, unit);
    }
  });
  return (images) => finish.complete(run(images));
}

function placePhases({ memory }: Context, op: ConvolutionOp): PlacedPhase[] {
  const channels = op.input[2];
  const outputs = op.output[2];
  return phasesOf(op).map(({ kernel, ...phase }) => {
    const matrices = [1, product(phase.kernelShape) / outputs, outputs] as const;
    const placed =
      op.arithmetic === 'integer'
        ? memory.placePairs(roundKernel(kernel, outputs), matrices, channels)
        : { packed: memory.placePanels(kernel, matrices), scales: 0 };
    return { ...phase, ...placed };
  });
}

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

function largestPadding(phases: readonly PlacedPhase[]): TransposedPhase['padding'] {
  const most = (side: keyof TransposedPhase['padding']) =>
    Math.max(0, ...phases.map(({ padding }) => padding[side]));
  return { top: most('top'), bottom: most('bottom'), left: most('left'), right: most('right') };
}

/**
 * @param options.row bytes of a row of the padded image
 * @param options.values of `finish` in assembly/finish.ts
 * @returns convolves the padded image at `from` into the image at `y`; `unit` is a step of its rounded numbers.
 */
function phaseRunner(
  { loops }: Context,
  op: ConvolutionOp,
  { row, values }: { row: number; values: readonly number[] },
) {
  const [, outWidth, outputs] = op.output;
  const integer = op.arithmetic === 'integer';
  const loop = integer ? loops.convolveInteger : loops.convolve;
  const pixel = pixelBytes(op);
  // A transposed convolution writes every strides-th pixel, a plain one reads it.
  const transposed = op.kind === 'transposed';
  const [readRows, readColumns] = transposed ? [1, 1] : op.strides;
  const [writeRows, writeColumns] = transposed ? op.strides : [1, 1];
  return (phase: PlacedPhase, from: number, y: number, unit: number): void => {
    const { kernelShape, start, size, packed, scales } = phase;
    loop(
      ...[from, row, readRows * row, readColumns * pixel],
      ...[kernelShape[0], (kernelShape[1] * pixel) / 4],
      ...[packed, ...values, ...(integer ? [scales, unit] : [])],
      ...[y + 4 * (start[0] * outWidth + start[1]) * outputs, ...size],
      ...[4 * writeRows * outWidth * outputs, 4 * writeColumns * outputs, outputs],
    );
  };
}
