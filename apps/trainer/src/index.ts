export { findDeno } from './engines/deno.ts';
export { NeedsDeno, startEngine } from './engines/start.ts';
export { findTensorflow } from './engines/tensorflow/location.ts';
export { findWebgpu } from './engines/webgpu/adapter.ts';
export * from './gan/article-step.ts';
export * from './gan/network-state.ts';
export * from './run/checkpoint.ts';
export { parseGivenOptions } from './run/options.ts';
