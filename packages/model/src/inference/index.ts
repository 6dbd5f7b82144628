export * from './graph.ts';
export { inferenceGraph } from './graph-reader.ts';
export * from './inference.ts';
export * from './render-latents.ts';
export * from './simd/simd.ts';
export type { StepMaker } from './steps.ts';
