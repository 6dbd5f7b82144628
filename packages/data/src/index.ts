export * from './batches.ts';
export * from './dataset.ts';
export * from './fetch-official.ts';
export { decodeImage, ImageFault } from './sources/image-file.ts';
export { CHARACTERS } from './stand-ins/character-recipe.ts';
export * from './stand-ins/characters.ts';
