/**
 * Puts together what workerd serves as static assets: the generator and its gallery, checked, and the
 * page; and what its Worker is bundled with.
 *
 *     node scripts/assemble.ts [--generator DIR | --newest-run] [--gallery DIR]
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  GENERATOR_MANIFEST,
  type GeneratorDescription,
  type GeneratorManifest,
  loadGeneratorFile,
} from '@killme/model';
import { folderReader } from '../src/disk.ts';
import { GALLERY_MANIFEST, galleryFile, openGallery } from '../src/gallery.ts';
import { resolvePath } from '../src/resolve-path.ts';
import { chooseGenerator, readArguments, runScript, servedOptions } from './arguments.ts';
import { buildPage } from './build-page.ts';
import { buildWasm } from './build-wasm.ts';

const ASSETS_FOLDER = fileURLToPath(new URL('../dist/assets', import.meta.url));

/** What is served: the folder of a generator, and that of a gallery of it or none. */
export interface Served {
  generator: string;
  gallery?: string | undefined;
}

/** The folders that the command line means. */
export async function chooseServed(
  options: Parameters<typeof chooseGenerator>[0] & { gallery?: string | undefined },
): Promise<Served> {
  const { gallery } = options;
  return {
    generator: await chooseGenerator(options),
    gallery: gallery === undefined ? undefined : resolvePath(gallery),
  };
}

/**
 * Checks a generator and its gallery and copies them, with the page, to `target`, which it replaces.
 * Nothing half-written is ever there.
 * @throws UserError in one line when something is damaged or missing; `target` then stays.
 */
export async function assembleAssets(
  { generator, gallery }: Served,
  target = ASSETS_FOLDER,
): Promise<GeneratorManifest> {
  const read = new Map<string, Uint8Array>();
  const readFile = folderReader(generator);
  const loaded = await loadGeneratorFile(async (name) => {
    const bytes = await readFile(name);
    read.set(name, bytes);
    return bytes;
  });

  const { manifest } = loaded;
  await buildWasm();
  await mkdir(dirname(target), { recursive: true });
  const draft = `${target}.${randomUUID()}`;
  try {
    await mkdir(`${draft}/generator`, { recursive: true });
    for (const name of [GENERATOR_MANIFEST, ...manifest.shards.map(({ file }) => file)]) {
      // What was checked is what is written, whatever happens to the folder meanwhile.
      await writeFile(`${draft}/generator/${name}`, read.get(name)!);
    }
    await buildPage(`${draft}/page`);
    if (gallery !== undefined) await copyGallery(gallery, loaded, `${draft}/gallery`);
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return manifest;
}

async function copyGallery(
  folder: string,
  generator: GeneratorDescription,
  target: string,
): Promise<void> {
  const readFile = folderReader(folder);
  const { pictures, read } = await openGallery(readFile, generator);
  await mkdir(target);
  await writeFile(`${target}/${GALLERY_MANIFEST}`, await readFile(GALLERY_MANIFEST));
  for (let i = 0; i < pictures; i++) {
    await writeFile(`${target}/${galleryFile(`${i}`)}`, await read(`${i}`));
  }
}

async function main(): Promise<void> {
  const served = await chooseServed(readArguments(servedOptions));
  const { preset } = await assembleAssets(served);
  console.log(`Assembled ${served.generator} (${preset}) and the page in ${ASSETS_FOLDER}`);
}

if (import.meta.main) await runScript(main);
