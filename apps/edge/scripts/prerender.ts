/**
 * Renders a gallery once, for servers that have no time to render (see src/gallery.ts): the pictures of
 * the seeds 0, 1, 2 …, as `/img` answers with them.
 *
 *     node scripts/prerender.ts --count 1000 [--generator DIR | --newest-run] [--out gallery]
 *
 * @module
 */
import { access, readdir, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { userPath, writeFolderWhole } from '@killme/command-line';
import { UserError } from '@killme/model';
import { createApp } from '../src/app.ts';
import {
  GALLERY_MANIFEST,
  GALLERY_PICTURES,
  galleryFile,
  galleryManifest,
} from '../src/generator/gallery.ts';
import { diskOptions } from '../src/runtimes/disk.ts';
import { nameFolder } from '../src/runtimes/named-folder.ts';
import { chooseGenerators, generatorOptions, readArguments, runScript } from './arguments.ts';

/** How often the progress is printed. */
const TOLD_EVERY_MS = 2000;

async function main(): Promise<void> {
  const options = readArguments({
    ...generatorOptions,
    count: { type: 'string' },
    out: { type: 'string', default: 'gallery' },
  });
  const count = readCount(options.count);
  const target = userPath(options.out);
  await checkTarget(target);
  if (options.generator && options.generator.length > 1) {
    throw new UserError('a gallery is of one generator: name one with --generator');
  }
  const [generator] = await chooseGenerators(options);
  const served = [
    `--gallery ${options.out}`,
    ...(options.generator ?? []).map((folder) => `--generator ${folder}`),
  ].join(' ');
  const bytes = await writeGallery({ generator: generator!.folder, count, target });
  console.log(
    `${count} pictures, ${(bytes / 1e6).toFixed(1)} MB, in ${target}\n` +
      `Serve it with \`npm start -- ${served}\`, on Cloudflare with \`npm run deploy -- ${served}\``,
  );
}

function readCount(text: string | undefined): number {
  const { least, most } = GALLERY_PICTURES;
  const count = Number(text);
  if (text !== undefined && /^\d+$/.test(text) && count >= least && count <= most) return count;
  const got = text === undefined ? 'it is missing' : `not ${text}`;
  throw new UserError(
    `--count must be a whole number from ${least} to ${most} ` +
      `(a Worker on the free plan has 20,000 files); ${got}`,
  );
}

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
  const options = diskOptions([nameFolder(generator)]);
  const [source] = await options.listGenerators();
  // Read once, so that the hash is that of what has rendered, whatever happens to the folder meanwhile.
  const loaded = await source!.load();
  const app = createApp({
    ...options,
    listGenerators: async () => [{ name: source!.name, load: async () => loaded }],
  });
  let bytes = 0;
  await writeFolderWhole(target, async (draft) => {
    let toldMs = Date.now();
    for (let i = 0; i < count; i++) {
      const png = await picture(app, `${i}`);
      await writeFile(`${draft}/${galleryFile(`${i}`)}`, png);
      bytes += png.length;
      if (!process.stderr.isTTY || Date.now() - toldMs < TOLD_EVERY_MS) continue;
      toldMs = Date.now();
      process.stderr.write(`\r${i + 1} of ${count}`);
    }
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K'); // the line is empty again
    await writeFile(`${draft}/${GALLERY_MANIFEST}`, galleryManifest(loaded.hash, count));
  });
  return bytes;
}

async function picture(app: ReturnType<typeof createApp>, seed: string): Promise<Uint8Array> {
  const response = await app.request(`/img?seed=${seed}`);
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  const { detail } = (await response.json()) as { detail: string };
  throw new UserError(detail);
}

if (import.meta.main) await runScript(main);
