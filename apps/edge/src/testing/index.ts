export { randomGeneratorFiles } from './random-generator.ts';
