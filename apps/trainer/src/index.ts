export { findTensorflow } from './engines/tensorflow/location.ts';
export * from './gan/article-step.ts';
export * from './gan/network-state.ts';
export * from './run/checkpoint.ts';
