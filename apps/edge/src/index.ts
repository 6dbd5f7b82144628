export { createApp } from './app.ts';
export { diskOptions } from './disk.ts';
