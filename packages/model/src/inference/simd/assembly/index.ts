/**
 * The loops of the generator's inference on wasm, in AssemblyScript: see build.ts for how they become
 * kernels.wasm, which works on tfjs's own memory. Pointers are byte addresses, all images float32,
 * NHWC, one at a time. Nothing here allocates.
 *
 * Only SIMD whose result the standard fixes to the bit: no relaxed operations, sums in one order. So
 * every runtime and every CPU computes the same numbers.
 */
export { convolve, convolveInteger, pad, padInteger } from './convolve';
export { dense } from './dense';
export { unitOf } from './quantize';
export { upsampleConvolve, upsampleConvolveInteger } from './upsample-convolve';
