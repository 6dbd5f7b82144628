import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { readNamedFile } from '@killme/command-line';
import {
  decodeWeight,
  type Encoding,
  GENERATOR_MANIFEST,
  type GeneratorFile,
  loadGeneratorFile,
  packGenerator,
  readDirections,
  seedToLatent,
  toPixels,
  UserError,
} from '@killme/model';
import { compileGenerator, renderLatents } from '@killme/model/inference';
import { numberTable } from '../text/markdown.ts';

const ENCODINGS: readonly Encoding[] = ['float32', 'float16', 'int8'];
/** What 8-bit kernels must reach against float32. */
const LEAST_PSNR = 40;
const BATCH = 8;

/** One row of the table: a generator file in one encoding, held against float32. */
export interface EncodingRow {
  encoding: Encoding;
  bytes: number;
  gzipBytes: number;
  brotliBytes: number;
  /** Peak signal-to-noise ratio over all images, in dB; infinite where nothing differs. */
  psnr: number;
  /** The lowest of an image. */
  lowestPsnr: number;
  /** Of 255 levels. */
  largestDifference: number;
  /** Fraction of the levels that differ at all. */
  changedFraction: number;
}

/**
 * Packs a generator in each encoding, and compares the images of the seeds `0` … `count` − 1.
 * Runs on whatever backend is current.
 *
 * @param file with float32 kernels
 */
export async function measureEncodings(file: GeneratorFile, count: number): Promise<EncodingRow[]> {
  const { manifest, network } = file;
  const weights = new Map([...file.weights].map(([name, w]) => [name, decodeWeight(w)]));
  const latents = Array.from({ length: count }, (_, seed) =>
    seedToLatent(String(seed), manifest.latent),
  );
  const facts = { ...manifest, directions: readDirections(manifest) };
  const rows: EncodingRow[] = [];
  let exact: Uint8Array[] | undefined;
  for (const encoding of ENCODINGS) {
    const files = await packGenerator({ network, weights, encoding, facts });
    const packed = await loadGeneratorFile(async (name) => files.get(name)!);
    const images = await renderPixels(packed, latents);
    exact ??= images;
    rows.push({ encoding, ...sizes(files), ...compare(images, exact) });
  }
  return rows;
}

/** @throws UserError when the folder holds no generator file, or one whose kernels are not float32. */
export async function loadFloat32Generator(folder: string): Promise<GeneratorFile> {
  const file = await loadGeneratorFile((name) => readNamedFile(join(folder, name)));
  if (file.manifest.tensors.every(({ encoding }) => encoding === 'float32')) return file;
  throw new UserError(
    `the kernels in ${join(folder, GENERATOR_MANIFEST)} are not float32, so nothing can be held ` +
      'against it: export or import it with --encoding float32',
  );
}

async function renderPixels(
  { manifest, network, weights }: GeneratorFile,
  latents: readonly Float32Array[],
): Promise<Uint8Array[]> {
  const compiled = compileGenerator(network, weights);
  const images: Uint8Array[] = [];
  for await (const image of renderLatents(compiled, latents, { batchSize: BATCH })) {
    images.push(toPixels(image, manifest.image.range));
  }
  compiled.dispose();
  return images;
}

function sizes(files: ReadonlyMap<string, Uint8Array>) {
  const all = [...files.values()];
  const total = (sizeOf: (file: Uint8Array) => number) =>
    all.reduce((sum, file) => sum + sizeOf(file), 0);
  // Brotli's highest quality takes minutes for 50 MB, and gains little on weights.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  return {
    bytes: total((file) => file.length),
    gzipBytes: total((file) => gzipSync(file, { level: 9 }).length),
    brotliBytes: total((file) => brotliCompressSync(file, { params }).length),
  };
}

function compare(images: readonly Uint8Array[], exact: readonly Uint8Array[]) {
  let largestDifference = 0;
  let changed = 0;
  const errors = images.map((image, n) => {
    let sum = 0;
    image.forEach((level, i) => {
      const difference = Math.abs(level - exact[n]![i]!);
      largestDifference = Math.max(largestDifference, difference);
      if (difference > 0) changed++;
      sum += difference ** 2;
    });
    return sum / image.length;
  });
  const decibels = (squaredError: number) => 10 * Math.log10(255 ** 2 / squaredError);
  return {
    psnr: decibels(errors.reduce((sum, error) => sum + error, 0) / errors.length),
    lowestPsnr: decibels(Math.max(...errors)),
    largestDifference,
    changedFraction: changed / (images.length * images[0]!.length),
  };
}

/** The rows as a Markdown table. */
export function encodingTable(rows: readonly EncodingRow[]): string {
  const size = (bytes: number) => bytes.toLocaleString('en');
  const decibels = (value: number) => (Number.isFinite(value) ? value.toFixed(1) : '∞');
  const cells = rows.map((row) => [
    row.encoding,
    size(row.bytes),
    size(row.gzipBytes),
    size(row.brotliBytes),
    decibels(row.psnr),
    decibels(row.lowestPsnr),
    String(row.largestDifference),
    `${(100 * row.changedFraction).toFixed(2)} %`,
  ]);
  return numberTable([
    ['kernels', 'bytes', 'gzip', 'brotli', 'PSNR dB', 'lowest', 'largest difference', 'changed'],
    ...cells,
  ]);
}

/** @returns what is wrong with the table, in one line. */
export function encodingFault(rows: readonly EncodingRow[]): string | undefined {
  const low = rows.find(({ psnr }) => psnr < LEAST_PSNR);
  return low && `${low.encoding} reaches ${low.psnr.toFixed(1)} dB, where ${LEAST_PSNR} are wanted`;
}
