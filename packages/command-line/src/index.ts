export * from './cache-dir.ts';
export * from './choose-tasks.ts';
export * from './error-code.ts';
export * from './escape-controls.ts';
export * from './explain-file-error.ts';
export * from './on-stop.ts';
export * from './user-path.ts';
export * from './write-whole.ts';
