import { type Network, product } from '@killme/model';

/** Of an isolate of Cloudflare's Workers (developers.cloudflare.com/workers/platform/limits). */
const ISOLATE_BYTES = 128e6;

/**
 * What an isolate takes beside the terms below: the script, tfjs, and what was not collected yet. Read
 * from workerd's inspector, as bench-memory.ts of the edge reads it, the peak until the first picture
 * is 1 to 24 MB more than those terms: six generators, from TensorFlow's for MNIST (25 MB in all) to
 * transposed convolutions of 1,024 channels (105 MB).
 */
const BASE_BYTES = 30e6;

/**
 * A line on how much of an isolate's memory loading a generator and its first picture take, estimated
 * from above: Dense kernels in one byte a number, other kernels in float32, twice for the one that is
 * being packed, and the two largest images in a row twice. Answers of many pixels take more while they
 * are encoded, whatever the generator.
 */
export function isolateMemory({ layers }: Network): string {
  let kernels = 0;
  let largestKernel = 0;
  let largestPair = 0;
  for (const { layer, weights, inputShape, outputShape } of layers) {
    const numbers = weights.reduce((sum, { shape }) => sum + product(shape), 0);
    kernels += layer.type === 'dense' ? numbers : 4 * numbers;
    if (layer.type !== 'dense') largestKernel = Math.max(largestKernel, 4 * numbers);
    largestPair = Math.max(largestPair, 4 * (product(inputShape) + product(outputShape)));
  }
  const bytes = BASE_BYTES + kernels + largestKernel + 2 * largestPair;
  // Not in MiB: the limit is in MB.
  const room = `about ${Math.ceil(bytes / 1e6)} MB of an isolate's 128 MB`;
  return bytes <= ISOLATE_BYTES
    ? `a Worker takes ${room}`
    : `a Worker would take ${room}: serve it with Deno or Node, or train a smaller one`;
}
