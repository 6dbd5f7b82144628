/**
 * Renders a gallery once, for servers that have no time to render (see src/generator/gallery.ts): the
 * images of the seeds 0, 1, 2 …, as `/img` answers with them. Large ones are rendered in shards, by as
 * many processes or machines as there are, and merged.
 *
 *     node scripts/prerender.ts --count 1000 [--generator DIR | --newest-run] [--out gallery]
 *     node scripts/prerender.ts --count 1000 --shard 2/8 …    (the number may come from a scheduler)
 *     node scripts/prerender.ts --merge [--out gallery]
 *
 * @module
 */
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';
import { readShard, readWhole, runCommand, userPath, writeFolderWhole } from '@killme/command-line';
import { type GeneratorDescription, UserError } from '@killme/model';
import { createApp } from '../src/app.ts';
import { galleryFile } from '../src/client.ts';
import {
  GALLERY_GENERATOR,
  GALLERY_MANIFEST,
  GALLERY_PICTURES,
  galleryHeaders,
  galleryManifest,
  HEADERS_FILE,
} from '../src/generator/gallery.ts';
import { diskOptions } from '../src/runtimes/disk.ts';
import { nameFolder } from '../src/runtimes/named-folder.ts';
import {
  chooseGenerators,
  generatorOptions,
  readArguments,
  type ScriptOptions,
} from './arguments.ts';
import { copyGenerator } from './copy-generator.ts';
import {
  isComplete,
  mergeShards,
  SHARD_MANIFEST,
  type Shard,
  seedsOfShard,
  shardFolder,
  shardManifest,
} from './gallery-shards.ts';

/** How often the progress is printed. */
const PROGRESS_EVERY_MS = 2000;

const prerenderOptions = {
  ...generatorOptions,
  count: { type: 'string', value: 'N', help: 'images to render, 1 to 1000000; required' },
  out: {
    type: 'string',
    default: 'gallery',
    value: 'DIR',
    help: 'the folder, replaced if it is a gallery',
  },
  shard: {
    type: 'string',
    value: 'I/N',
    help: 'render one of N parts, from 0; N alone: I is what the scheduler gives',
  },
  merge: { type: 'boolean', default: false, help: 'put all parts together' },
} as const satisfies ScriptOptions;

const ABOUT = `Usage: npm run prerender -- --count N [options]

Renders a gallery: the images of the seeds 0, 1, 2 … as files, which are served without rendering.
The generator is the first shipped one, or that of --generator.`;

/**
 * Does what a command line asks for, this program's where none is given.
 * @throws UserError when it cannot be done; nothing is written then.
 */
export async function prerender(args?: readonly string[]): Promise<void> {
  const options = readArguments(prerenderOptions, ABOUT, args);
  const target = userPath(options.out);
  await checkTarget(target);
  if (options.merge) return merge(options, target);
  const count = readWhole('--count', options.count, GALLERY_PICTURES);
  if (options.generator && options.generator.length > 1) {
    throw new UserError('a gallery is of one generator: name one with --generator');
  }
  const [generator] = await chooseGenerators(options);
  const { folder } = generator!;
  if (options.shard !== undefined) {
    const shard = { ...readShard(options.shard), pictures: count };
    return renderShard({ generator: folder, shard, target });
  }
  const bytes = await writeGallery({ generator: folder, count, target });
  const named = (options.generator ?? []).map((given) => ` --generator ${given}`).join('');
  printGallery({ count, bytes, target }, `--gallery ${options.out}${named}`);
}

async function merge(options: MergeOptions, target: string): Promise<void> {
  if (options.count !== undefined || options.shard !== undefined || options.generator) {
    throw new UserError('--merge takes --out alone: the shards know what they are of');
  }
  const merged = await mergeShards(target);
  printGallery({ ...merged, target }, `--gallery ${options.out}`);
}

type MergeOptions = ReturnType<typeof readArguments<typeof prerenderOptions>>;

function printGallery(
  { count, bytes, target }: { count: number; bytes: number; target: string },
  served: string,
): void {
  console.log(
    `${count} pictures, ${(bytes / 1e6).toFixed(1)} MB, in ${target}\n` +
      `Serve it with \`npm start -- ${served}\`, on Cloudflare with \`npm run deploy -- ${served}\``,
  );
  if (count <= WORKER_FILES) return;
  console.log(
    `A Worker has at most 20,000 files on the free plan, and 100,000 on the paid one: deploy fewer there`,
  );
}

/** The pictures that a Worker on the free plan has room for, beside the page and generators. */
const WORKER_FILES = 19_000;

/** A gallery is replaced; a folder of something else is not. */
async function checkTarget(target: string): Promise<void> {
  const isGallery = await access(`${target}/${GALLERY_MANIFEST}`).then(
    () => true,
    () => false,
  );
  const files = await readdir(target).catch((error: { code?: string }) => {
    if (error.code === 'ENOENT') return [];
    throw new UserError(`${target} is not a folder: choose another with --out`);
  });
  if (files.length > 0 && !isGallery) {
    throw new UserError(`${target} is there and is not a gallery: choose another with --out`);
  }
}

/**
 * Renders `count` pictures into `target`, which it replaces. Nothing half-written is ever there.
 * @returns the bytes of all pictures together.
 */
export async function writeGallery({
  generator,
  count,
  target,
}: {
  generator: string;
  count: number;
  target: string;
}): Promise<number> {
  const rendering = await openApp(generator);
  let bytes = 0;
  await writeFolderWhole(target, async (draft) => {
    const seeds = Array.from({ length: count }, (_, i) => `${i}`);
    bytes = await renderSeeds(rendering, seeds, draft);
    await copyLoaded(rendering, draft);
    await writeFile(`${draft}/${GALLERY_MANIFEST}`, galleryManifest(rendering.hash, count));
  });
  return bytes;
}

/** Puts the generator of a gallery into it, and what servers of static files send with its pictures. */
async function copyLoaded({ folder, hash, manifest }: Rendering, target: string): Promise<void> {
  const copied = await copyGenerator(folder, `${target}/${GALLERY_GENERATOR}`);
  if (copied.hash !== hash) {
    throw new UserError(
      `the generator in ${folder} was replaced meanwhile: render the gallery again`,
    );
  }
  await writeFile(`${target}/${HEADERS_FILE}`, galleryHeaders({ hash, manifest }));
}

/** Renders a shard beside `target`; one that is there already is left, so that a task can be repeated. */
async function renderShard({
  generator,
  shard,
  target,
}: {
  generator: string;
  shard: Shard;
  target: string;
}): Promise<void> {
  const rendering = await openApp(generator);
  const folder = shardFolder(target, shard);
  const manifest = shardManifest(rendering.hash, shard);
  const name = `shard ${shard.index} of ${shard.shards}`;
  if (await isComplete(folder, manifest)) {
    console.log(`${name} is there already: ${folder}`);
    return;
  }
  const seeds = seedsOfShard(shard);
  await writeFolderWhole(folder, async (draft) => {
    await renderSeeds(rendering, seeds, draft);
    // One of them is enough for the gallery that they become.
    if (shard.index === 0) await copyLoaded(rendering, draft);
    await writeFile(`${draft}/${SHARD_MANIFEST}`, manifest);
  });
  console.log(
    `${name}: ${seeds.length} pictures, in ${folder}\n` +
      'When all are there: `npm run prerender -- --merge`, with the same --out',
  );
}

type App = ReturnType<typeof createApp>;

interface Rendering extends GeneratorDescription {
  app: App;
  /** The generator's. */
  folder: string;
}

/** The generator is read once: its hash is that of what renders, whatever happens to the folder meanwhile. */
async function openApp(folder: string): Promise<Rendering> {
  const options = diskOptions([nameFolder(folder)]);
  const [source] = await options.listGenerators();
  const loaded = await source!.load();
  const app = createApp({
    ...options,
    listGenerators: async () => [{ name: source!.name, load: async () => loaded }],
  });
  const { manifest, hash } = loaded;
  return { app, folder, manifest, hash };
}

/** Writes the pictures of `seeds` into a gallery's folder, with progress on a terminal; returns their bytes. */
async function renderSeeds(
  { app, hash }: Rendering,
  seeds: readonly string[],
  target: string,
): Promise<number> {
  let bytes = 0;
  let printedMs = Date.now();
  await mkdir(dirname(`${target}/${galleryFile(hash, 0)}`), { recursive: true });
  for (const [i, seed] of seeds.entries()) {
    const png = await picture(app, seed);
    await writeFile(`${target}/${galleryFile(hash, Number(seed))}`, png);
    bytes += png.length;
    if (!process.stderr.isTTY || Date.now() - printedMs < PROGRESS_EVERY_MS) continue;
    printedMs = Date.now();
    process.stderr.write(`\r${i + 1} of ${seeds.length}`);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K'); // the line is empty again
  return bytes;
}

async function picture(app: App, seed: string): Promise<Uint8Array> {
  const response = await app.request(`/img?seed=${seed}`);
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  const { detail } = (await response.json()) as { detail: string };
  throw new UserError(detail);
}

if (import.meta.main) await runCommand(() => prerender());
