import {
  activation,
  articleGenerator,
  dense,
  GENERATOR_MANIFEST,
  type Layer,
  packGenerator,
  product,
  reshape,
  sealManifest,
  sequential,
  zeroPadding2d,
} from '@killme/model';
import { randomGeneratorFiles } from './random-generator.ts';

type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** A generator whose weights are numbers, and whose sums are ∞ − ∞: it loads, and renders nothing. */
export function overflowingGeneratorFiles(): Promise<Files> {
  const network = sequential(
    'generator',
    [100],
    [dense(8), dense(8 * 8 * 3), reshape(8, 8, 3), activation('tanh')],
  );
  const weights = network.weights.map(({ name, shape }) => {
    const values = Float32Array.from({ length: product(shape) }, (_, i) => (i % 2 ? 3e38 : -3e38));
    return [name, values] as const;
  });
  const training = { dataset: 'none', images: 1, iterations: 0, batchSize: 1, seed: 0 };
  return packGenerator({
    network,
    weights: new Map(weights),
    encoding: 'float32',
    facts: {
      preset: 'article',
      latent: { size: 100, distribution: 'uniform' },
      classes: [],
      training: { ...training, engine: 'none' },
    },
  });
}

/** The article's generator, of 16 × 16, with zeros to the right of its images and below. */
export function paddedGeneratorFiles(zeros: number): Promise<Files> {
  const layers: Layer[] = articleGenerator({ width: 1 / 16, imageSize: 16 }).layers.map(
    ({ layer }) => layer,
  );
  const padding = zeroPadding2d([
    [0, zeros],
    [0, zeros],
  ]);
  return randomGeneratorFiles({
    network: sequential('generator', [100], [...layers, padding]),
  });
}

/** The same without zeros, and with a negative variance, for which its hashes are right. */
export async function negativeVarianceFiles(): Promise<Files> {
  const files = await randomGeneratorFiles({ imageSize: 16, encoding: 'float32' });
  const { sha256: _, ...manifest } = JSON.parse(
    new TextDecoder().decode(files.get(GENERATOR_MANIFEST)),
  );
  const [shard] = manifest.shards;
  const bytes = files.get(shard.file)!;
  const variance = manifest.tensors.find(({ name }: { name: string }) => /variance/.test(name));
  new DataView(bytes.buffer).setFloat32(variance.offset, -1, true);
  shard.sha256 = Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
  return files.set(GENERATOR_MANIFEST, await sealManifest(manifest));
}
