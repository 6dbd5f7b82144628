export { createApp } from './app.ts';
export { diskOptions } from './runtimes/disk.ts';
export { type NamedFolder, nameFolder, SHIPPED_GENERATORS } from './runtimes/named-folder.ts';
