/**
 * ONNX models, the way to any other engine. Apart from `@killme/model`, because the edge needs none.
 *
 * @module
 */
export * from './read.ts';
export * from './write.ts';
