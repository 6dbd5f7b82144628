/**
 * The generator file: one folder that travels from the trainer to the edge.
 *
 * `generator.json` (the manifest) says what the generator is and lists its weights; the numbers lie
 * in shards, `weights-0.bin`, `weights-1.bin`, …, each at most 20 MiB (a Workers static asset may
 * have 25). Put end to end the shards are one stream of bytes, little-endian, in which each tensor
 * has an offset that is a multiple of 4; a tensor may cross shards. docs/generator-file.md has the
 * whole of it.
 *
 * @module
 */
export * from './load.ts';
export {
  creditSchema,
  GENERATOR_MANIFEST,
  type GeneratorDescription,
  type GeneratorManifest,
  licenceSchema,
  MOST_DIRECTIONS,
  type Rights,
  readDirections,
  readGeneratorManifest,
  sealManifest,
  withDirections,
} from './manifest.ts';
export * from './pack.ts';
