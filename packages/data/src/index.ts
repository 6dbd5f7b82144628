export * from './batches.ts';
export * from './dataset.ts';
export * from './fetch-official.ts';
export { decodeImage } from './images/decode-image.ts';
export { endIdleDecoders } from './images/decode-process.ts';
export { ImageFault } from './images/image.ts';
export type { OmittedFile } from './read-images.ts';
export { CHARACTERS } from './stand-ins/character-recipe.ts';
export * from './stand-ins/characters.ts';
