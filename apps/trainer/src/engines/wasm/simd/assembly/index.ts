/**
 * The loops of the wasm engine, in AssemblyScript: see build.ts for how they become kernels.wasm,
 * which works on tfjs's own memory. Pointers are byte addresses; counts and strides are of float32
 * numbers unless they say bytes; a `plan` points to int32 fields. Nothing here allocates.
 *
 * Every function of a parallel job begins with (thread, counter): each thread runs it whole and
 * takes work items by adding to the counter until none is left. What an item computes does not
 * depend on the thread that takes it, so results do not depend on timing or thread count.
 */
export { convolve, packPanels } from './convolve';
export { convolveGradient, sumParts } from './gradient';
export { multiplyMatrices } from './matmul';
export { adam, addBias, dropoutMask, gate, multiply, relu } from './passes';
export {
  columnStatistics, columnSums, normalize, normalizeGradient, normalizeGradientSums,
} from './statistics';
