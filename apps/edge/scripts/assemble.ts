/**
 * Puts together what workerd serves as static assets: the generator, checked, and the page.
 *
 *     node scripts/assemble.ts [--generator DIR]
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATOR_MANIFEST, type GeneratorManifest, loadGeneratorFile } from '@killme/model';
import { folderReader } from '../src/disk.ts';
import { PAGE_FILES } from '../src/routes/page.ts';
import { chooseGenerator, generatorOptions, readArguments, runScript } from './arguments.ts';
import { buildEngine } from './build-engine.ts';

const ASSETS_FOLDER = fileURLToPath(new URL('../dist/assets', import.meta.url));
const PAGE_FOLDER = fileURLToPath(new URL('../src/page', import.meta.url));

/**
 * Checks a generator folder and copies it, with the page, to `target`, which it replaces. Nothing
 * half-written is ever there.
 * @throws UserError in one line when the generator is damaged or missing; `target` then stays.
 */
export async function assembleAssets(
  generator: string,
  target = ASSETS_FOLDER,
): Promise<GeneratorManifest> {
  const read = new Map<string, Uint8Array>();
  const readFile = folderReader(generator);
  const { manifest } = await loadGeneratorFile(async (name) => {
    const bytes = await readFile(name);
    read.set(name, bytes);
    return bytes;
  });

  await mkdir(dirname(target), { recursive: true });
  const draft = `${target}.${randomUUID()}`;
  try {
    await mkdir(`${draft}/generator`, { recursive: true });
    await mkdir(`${draft}/page`);
    for (const name of [GENERATOR_MANIFEST, ...manifest.shards.map(({ file }) => file)]) {
      // What was checked is what is written, whatever happens to the folder meanwhile.
      await writeFile(`${draft}/generator/${name}`, read.get(name)!);
    }
    await buildEngine(`${draft}/page`);
    for (const { file } of Object.values(PAGE_FILES)) {
      if (file.startsWith('engine.')) continue; // built just now
      await copyFile(`${PAGE_FOLDER}/${file}`, `${draft}/page/${file}`);
    }
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return manifest;
}

async function main(): Promise<void> {
  const options = readArguments(generatorOptions);
  const folder = await chooseGenerator(options);
  const { preset } = await assembleAssets(folder);
  console.log(`Assembled ${folder} (${preset}) and the page in ${ASSETS_FOLDER}`);
}

if (import.meta.main) await runScript(main);
