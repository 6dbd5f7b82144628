export * from './random.ts';
export * from './user-error.ts';
