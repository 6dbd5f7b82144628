/**
 * Keras's own files, written and read. Apart from `@killme/model`, because HDF5 takes a library in
 * wasm that has no place at the edge.
 *
 * @module
 */
export * from './read.ts';
export * from './write.ts';
export * from './write-tfjs.ts';
