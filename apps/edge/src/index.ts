export { createApp } from './app.ts';
export { diskOptions } from './disk.ts';
export { nameFolder } from './named-folder.ts';
