export * from './apply.ts';
export * from './augment.ts';
export { hostDropoutMask } from './compositions.ts';
export * from './kernels.ts';
export * from './loss.ts';
export * from './methods.ts';
export * from './presets.ts';
