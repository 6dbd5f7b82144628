import { writeFileWhole } from '@killme/command-line';
import {
  createRandom,
  encodeWeight,
  type ImportedGenerator,
  type LatentSpace,
  type Network,
  randomLatents,
  tile,
  toPicture,
  UserError,
  type ValueRange,
} from '@killme/model';
import { compileGenerator, renderLatents } from '@killme/model/inference';
import { encode } from 'fast-png';

/** An imported generator at work, in float32. */
export class Render {
  private readonly compiled: ReturnType<typeof compileGenerator>;
  private readonly network: Network;
  private readonly latent: LatentSpace;

  constructor({ network, weights }: ImportedGenerator, latent: LatentSpace) {
    const stored = network.weights.map(
      ({ name, shape }) => [name, encodeWeight(weights.get(name)!, shape, 'float32')] as const,
    );
    this.compiled = compileGenerator(network, new Map(stored));
    this.network = network;
    this.latent = latent;
  }

  /** Latents for a purpose, `[count × latent size]`. */
  latents(count: number, purpose: string): Float32Array {
    return randomLatents(createRandom(`killme/import/${purpose}`), count, this.latent);
  }

  /** @param latents `[count × latent size]`; one after the other, for memory's sake. */
  async values(latents: Float32Array): Promise<Float32Array[]> {
    const { size } = this.latent;
    const single = Array.from({ length: latents.length / size }, (_, i) =>
      latents.subarray(i * size, (i + 1) * size),
    );
    const images: Float32Array[] = [];
    for await (const image of renderLatents(this.compiled, single)) images.push(image);
    return images;
  }

  /** @throws UserError when a picture cannot be rendered. */
  async one(file: string): Promise<void> {
    const [image] = await this.values(this.latents(1, 'one'));
    if (image!.every(Number.isFinite)) return;
    throw new UserError(`${file} gives numbers that are not finite: its training diverged`);
  }

  /** Writes a sheet of 5×5 pictures. */
  async preview(path: string, range: ValueRange): Promise<void> {
    const [height, width, channels] = this.network.outputShape as [number, number, 1 | 3 | 4];
    const images = await this.values(this.latents(25, 'preview'));
    const sheet = tile(
      images.map((image) => toPicture(image, { width, height, channels, range })),
      5,
    );
    await writeFileWhole(path, encode({ ...sheet, depth: 8 }));
  }

  dispose(): void {
    this.compiled.dispose();
  }
}
