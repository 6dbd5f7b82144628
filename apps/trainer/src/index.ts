export * from './checkpoint.ts';
export { findTensorflow } from './engines/tensorflow-location.ts';
export * from './network-state.ts';
export * from './step.ts';
