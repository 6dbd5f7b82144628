export * from './graph.ts';
export * from './inference.ts';
export * from './render-latents.ts';
export * from './simd/simd.ts';
export type { StepMaker } from './steps.ts';
