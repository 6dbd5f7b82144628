export * from './batches.ts';
export { CHARACTERS } from './character-recipe.ts';
export * from './characters.ts';
export * from './dataset.ts';
export * from './fetch-official.ts';
export { decodeImage, ImageFault } from './image-file.ts';
