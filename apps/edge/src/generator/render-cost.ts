import { type GeneratorManifest, type Network, product } from '@killme/model';

/**
 * Multiply-adds in a millisecond of one core. By `npm run bench:cost` of 2026-11-29 (AMD EPYC, Node
 * 24.21.0; the table is in docs/serving-figures.md).
 */
const MULTIPLY_ADDS_PER_MS = { float32: 66e6, integer: 105e6 };

/** Milliseconds that one picture takes beside its multiply-adds, for each number that passes a layer. */
const PASSING_MS = 2e-7;

/**
 * Estimates how long a generator renders one picture, without a clock: workerd's stands still while
 * it works.
 */
export function estimateRenderMs(
  { layers }: Network,
  arithmetic: GeneratorManifest['arithmetic'],
): number {
  const each = layers.map(({ layer, inputShape, outputShape, weights }) => {
    const kernel = weights.find(({ shape }) => shape.length > 1);
    // A kernel over images is applied at each pixel of the output; a transposed one, of the input.
    const pixels = pixelsOf(/transpose/i.test(layer.type) ? inputShape : outputShape);
    const places = kernel && kernel.shape.length > 2 ? pixels : 1;
    const multiplyAdds = kernel ? product(kernel.shape) * places : 0;
    return multiplyAdds / MULTIPLY_ADDS_PER_MS[arithmetic] + product(outputShape) * PASSING_MS;
  });
  return each.reduce((sum, ms) => sum + ms, 0);
}

const pixelsOf = (shape: readonly number[]) =>
  shape.length === 3 ? product(shape.slice(0, 2)) : 1;
