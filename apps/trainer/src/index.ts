export * from './checkpoint.ts';
export * from './network-state.ts';
export * from './step.ts';
