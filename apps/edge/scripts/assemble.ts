/**
 * Puts together what workerd serves as static assets: the generators and the gallery of the first,
 * checked, and the page; and what its Worker is bundled with.
 *
 *     node scripts/assemble.ts [--generator [NAME=]DIR … | --newest-run] [--gallery DIR] [--keep DIR …]
 *       [--immutable]
 *
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFolderWhole } from '@killme/command-line';
import { GENERATOR_MANIFEST, type GeneratorDescription } from '@killme/model';
import { GALLERY_MANIFEST, galleryFile, openGallery } from '../src/generator/gallery.ts';
import { openGenerator } from '../src/generator/generator.ts';
import { pinOf } from '../src/generator/pin.ts';
import { checkRenders, saying } from '../src/generator/registry.ts';
import { DEPLOYMENT_FILE, type Deployment, writeDeployment } from '../src/runtimes/deployment.ts';
import { compileBinaries, folderReader } from '../src/runtimes/disk.ts';
import { chooseServed, readArguments, runScript, type Served, servedOptions } from './arguments.ts';
import { buildPage } from './build-page.ts';
import { buildWasm } from './build-wasm.ts';

const ASSETS_FOLDER = fileURLToPath(new URL('../dist/assets', import.meta.url));

/** Lines that say what is served, one for each generator. */
export function describeServed(
  { generators, gallery }: Served,
  checked: readonly GeneratorDescription[],
): string {
  const lines = generators.map(({ name, folder, kept }, i) => {
    const { manifest, hash } = checked[i]!;
    const { preset, training } = manifest;
    const trained = `${training.iterations ?? 'unknown'} iterations on ${training.dataset}`;
    if (kept) return `/v/${pinOf({ hash, gallery: undefined })}: ${folder} (${preset}, ${trained})`;
    const from = i === 0 && gallery !== undefined ? `, /img from ${gallery}` : '';
    return `${name}: ${folder} (${preset}, ${trained})${from}`;
  });
  return lines.join('\n  and ');
}

/**
 * Checks generators and the gallery of the first and copies them, with the page, to `target`, which
 * it replaces. Nothing half-written is ever there.
 * @returns what the generators are, in their order.
 * @throws UserError in one line when something is damaged or missing; `target` then stays.
 */
export async function assembleAssets(
  { generators, gallery, immutable = false }: Served,
  target = ASSETS_FOLDER,
): Promise<GeneratorDescription[]> {
  await buildWasm();
  await mkdir(dirname(target), { recursive: true });
  const checked: GeneratorDescription[] = [];
  await writeFolderWhole(target, async (draft) => {
    const deployed: Deployment['generators'] = [];
    for (const [i, { name, folder, kept = false }] of generators.entries()) {
      // Names of kept ones are not checked: two may be the same.
      const asset = kept ? `kept/${i}` : `generators/${name}`;
      const copied = copyGenerator(folder, `${draft}/${asset}`);
      checked.push(await saying(name, generators.length, copied));
      deployed.push({ name, folder: asset, kept });
    }
    await writeFile(
      `${draft}/${DEPLOYMENT_FILE}`,
      writeDeployment({ generators: deployed, immutable }),
    );
    await buildPage(`${draft}/page`);
    if (gallery !== undefined) await copyGallery(gallery, checked[0]!, `${draft}/gallery`);
  });
  return checked;
}

async function copyGenerator(folder: string, target: string): Promise<GeneratorDescription> {
  const read = new Map<string, Uint8Array>();
  const readFile = folderReader(folder);
  const generator = await openGenerator({
    async readFile(name) {
      const bytes = await readFile(name);
      read.set(name, bytes);
      return bytes;
    },
    loadBinaries: compileBinaries,
  });
  await checkRenders(generator);
  const { manifest, hash } = generator;
  await mkdir(target, { recursive: true });
  for (const name of [GENERATOR_MANIFEST, ...manifest.shards.map(({ file }) => file)]) {
    // What was checked is what is written, whatever happens to the folder meanwhile.
    await writeFile(`${target}/${name}`, read.get(name)!);
  }
  return { manifest, hash };
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
  const checked = await assembleAssets(served);
  console.log(`${describeServed(served, checked)}\nAssembled with the page in ${ASSETS_FOLDER}`);
}

if (import.meta.main) await runScript(main);
