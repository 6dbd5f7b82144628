import { type Network, product } from '@killme/model';
import { formatBytes } from '../text/format-bytes.ts';

/** Of an isolate of Cloudflare's Workers (developers.cloudflare.com/workers/platform/limits). */
const ISOLATE_BYTES = 128e6;

/** What an isolate takes beside the generator: the script, tfjs and its wasm memory, measured. */
const BASE_BYTES = 30e6;

/**
 * A line on how much of an isolate's memory a generator takes at its peak, from above: Dense kernels
 * in one byte a number, other kernels in float32 twice for the one that is being packed, and the two
 * largest images in a row.
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
  const room = `about ${formatBytes(bytes)} of an isolate's 128 MB`;
  return bytes <= ISOLATE_BYTES
    ? `a Worker takes ${room}`
    : `a Worker would take ${room}: serve it with Deno or Node, or train a smaller one`;
}
