export { createApp } from './app.ts';
export { diskOptions } from './disk.ts';
export { type NamedFolder, nameFolder, SHIPPED_GENERATORS } from './named-folder.ts';
