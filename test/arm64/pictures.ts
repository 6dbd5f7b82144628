/**
 * Renders by every path through wasm and prints the sha256 of each result as JSON, to be compared with what
 * another processor prints.
 *
 *     node test/arm64/pictures.ts FOLDER      (of a generator with float16 weights)
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createApp, diskOptions, nameFolder, SHIPPED_GENERATORS } from '@killme/edge';
import { compileBinaries } from '@killme/edge/disk';
import { startBackend } from '@killme/edge/testing';
import { encodeWeight, UserError } from '@killme/model';
import { compileGenerator } from '@killme/model/inference';
import { readKerasGenerator } from '@killme/model/keras';

/** Other people's layers, saved by Keras. */
const LAYERS = resolve(import.meta.dirname, '../reference/layers');

const SEEDS = ['alice', 'bob', 'キルミーベイベー', 'same-0', 'same-1'];

/** Of the integer loops, of each encoder, and of the resampler. */
const PATHS = [
  ...SEEDS.flatMap((seed) => [`/img?seed=${seed}`, `/img?seed=${seed}&model=article`]),
  ...['/img?seed=alice&format=webp', '/img?seed=alice&size=200', '/mix?plus=alice,bob&minus=carol'],
  ...['png', 'apng', 'gif', 'json'].map((format) => `/morph?from=a&to=b&steps=3&format=${format}`),
  ...SEEDS.map((seed) => `/img?seed=${seed}&model=float`),
];

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function hashPictures(floatFolder: string): Promise<[string, string][]> {
  const float = { ...nameFolder(floatFolder), name: 'float' };
  const app = createApp(diskOptions([...SHIPPED_GENERATORS, float]));
  const hashes: [string, string][] = [];
  for (const path of PATHS) {
    const answer = await app.request(path);
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    hashes.push([path, sha256(new Uint8Array(await answer.arrayBuffer()))]);
  }
  return hashes;
}

/** The float loops and tfjs's kernels, layer by layer. */
async function hashLayers(): Promise<[string, string][]> {
  const startSteps = await startBackend(await compileBinaries());
  const hashes: [string, string][] = [];
  for (const file of (await readdir(LAYERS)).filter((name) => /\.(h5|keras)$/.test(name)).sort()) {
    try {
      const bytes = new Uint8Array(await readFile(join(LAYERS, file)));
      const { network, weights, classes } = await readKerasGenerator(bytes, { file });
      const stored = network.weights.map(
        ({ name, shape }) => [name, encodeWeight(weights.get(name)!, shape, 'float32')] as const,
      );
      const { generate } = compileGenerator(network, new Map(stored), { steps: startSteps() });
      const latent = Float32Array.from({ length: network.inputShape[0]! }, (_, i) =>
        Math.sin(i + 1),
      );
      if (classes > 0) latent.fill(0, -classes).fill(1, -1);
      const image = generate(latent, 1).dataSync<'float32'>();
      hashes.push([file, sha256(new Uint8Array(image.buffer, image.byteOffset, image.byteLength))]);
    } catch (error) {
      // Files that an import refuses are among them.
      if (!(error instanceof UserError)) throw error;
    }
  }
  return hashes;
}

const [, , floatFolder = ''] = process.argv;
console.log(JSON.stringify([...(await hashPictures(floatFolder)), ...(await hashLayers())]));
