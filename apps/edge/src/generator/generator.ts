import {
  type GeneratorManifest,
  type LatentSpace,
  loadGeneratorFile,
  type Picture,
  type ReadShard,
  toNearestClass,
  toPicture,
} from '@killme/model';
import { compileGenerator, type StepMaker } from '@killme/model/inference';
import { startBackend, type WasmBinaries } from './backend.ts';
import { estimateRenderMs } from './render-cost.ts';

/** A generator ready to render; on a GPU a picture comes later. */
export interface Generator<Rendered extends Picture | Promise<Picture> = Picture> {
  manifest: GeneratorManifest;
  /** Names the generator file and all its weights. */
  hash: string;
  latentSpace: LatentSpace;
  /** Estimated milliseconds of one picture on one core, see render-cost.ts. */
  renderMs: number;
  /**
   * One picture of the latent `[latentSpace.size]`, of the class that it is nearest to. Not in batches:
   * a batch takes as long for each picture, and the memory of all of them at once.
   */
  render(latent: Float32Array): Rendered;
}

/** On whatever it renders. */
export type AnyGenerator = Generator<Picture | Promise<Picture>>;

/**
 * Reads a generator file and makes it ready.
 * @param options.readFile gives the bytes of one of its files by name
 * @param options.readShard streams its weights; whole files are read when it is omitted
 * @param options.loadBinaries gives what backend.ts needs, compiled
 * @throws UserError in one line when the file is damaged or not a generator.
 */
export async function openGenerator({
  readFile,
  readShard,
  loadBinaries,
}: {
  readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  readShard?: ReadShard | undefined;
  loadBinaries: () => WasmBinaries | Promise<WasmBinaries>;
}): Promise<Generator> {
  const startSteps = await startBackend(await loadBinaries());
  const { manifest, hash, network, generate } = await compileFile(
    readFile,
    readShard,
    startSteps(),
  );
  return {
    manifest,
    hash,
    latentSpace: manifest.latent,
    renderMs: estimateRenderMs(network, manifest.arithmetic),
    render(latent) {
      const image = generate(toNearestClass(latent, manifest.latent), 1); // [1, height, width, channels]
      try {
        // Synchronous on wasm: nothing else runs between, so requests cannot mix.
        return toPicture(image.dataSync<'float32'>(), manifest.image);
      } finally {
        image.dispose();
      }
    },
  };
}

/** What a damaged file has taken of the backend's memory is free for the next try. */
async function compileFile(
  readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
  readShard: ReadShard | undefined,
  steps: StepMaker,
) {
  try {
    const { kernelRoom } = steps;
    const { manifest, hash, network, weights } = await loadGeneratorFile(readFile, {
      readShard,
      kernelRoom,
    });
    const { arithmetic } = manifest;
    const { generate } = compileGenerator(network, weights, { steps, arithmetic });
    return { manifest, hash, network, generate };
  } catch (error) {
    steps.dispose();
    throw error;
  }
}
