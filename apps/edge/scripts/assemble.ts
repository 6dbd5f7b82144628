/**
 * Puts together what workerd serves as static assets: the generators and their galleries, checked, and
 * the page; and what its Worker is bundled with.
 *
 *     node scripts/assemble.ts [--generator [NAME=]DIR … | --newest-run] [--gallery DIR] [--keep DIR …]
 *       [--immutable]
 *
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, writeFolderWhole } from '@killme/command-line';
import type { GeneratorDescription } from '@killme/model';
import { galleryFile } from '../src/client.ts';
import { galleryHeaders, HEADERS_FILE, openGallery } from '../src/generator/gallery.ts';
import { pinOf } from '../src/generator/pin.ts';
import { saying } from '../src/generator/registry.ts';
import { DEPLOYMENT_FILE, type Deployment, writeDeployment } from '../src/runtimes/deployment.ts';
import { folderReader } from '../src/runtimes/disk.ts';
import { chooseServed, readArguments, type Served, servedOptions } from './arguments.ts';
import { buildPage } from './build-page.ts';
import { buildWasm } from './build-wasm.ts';
import { copyGenerator } from './copy-generator.ts';

const ASSETS_FOLDER = fileURLToPath(new URL('../dist/assets', import.meta.url));

/** Lines that say what is served, one for each generator. */
export function describeServed({ generators }: Served, checked: readonly Assembled[]): string {
  const lines = generators.map(({ name, folder, kept, gallery }, i) => {
    const { manifest, hash, pictures } = checked[i]!;
    const { preset, training } = manifest;
    const trained = `${training.iterations ?? 'unknown'} iterations on ${training.dataset}`;
    const from = gallery === undefined ? '' : `, /img from ${gallery}`;
    if (kept) {
      const pin = pinOf({ hash, gallery: pictures === undefined ? undefined : { pictures } });
      return `/v/${pin}: ${folder} (${preset}, ${trained})${from}`;
    }
    return `${name}: ${folder} (${preset}, ${trained})${from}`;
  });
  return lines.join('\n  and ');
}

/** What has become part of the assets. */
export interface Assembled extends GeneratorDescription {
  /** Of its gallery, if it has one. */
  pictures?: number | undefined;
}

/**
 * Checks generators and their galleries and copies them, with the page, to `target`, which it replaces.
 * Nothing half-written is ever there.
 * @returns what the generators are, in their order.
 * @throws UserError in one line when something is damaged or missing; `target` then stays.
 */
export async function assembleAssets(
  { generators, immutable = false }: Served,
  target = ASSETS_FOLDER,
): Promise<Assembled[]> {
  await buildWasm();
  await mkdir(dirname(target), { recursive: true });
  const checked: Assembled[] = [];
  await writeFolderWhole(target, async (draft) => {
    const deployed: Deployment['generators'] = [];
    for (const [i, { name, folder, kept = false, gallery }] of generators.entries()) {
      // Names of kept ones are not checked: two may be the same.
      const asset = kept ? `kept/${i}` : `generators/${name}`;
      const say = <T>(work: Promise<T>) => saying(name, generators.length, work);
      const generator = await say(copyGenerator(folder, `${draft}/${asset}`));
      const pictures =
        gallery === undefined
          ? undefined
          : await say(copyGallery(gallery, { generator, kept, target: draft }));
      checked.push({ ...generator, pictures });
      deployed.push({ name, folder: asset, kept, gallery: pictures });
    }
    const headers = headersOf(checked);
    if (headers !== '') await writeFile(`${draft}/${HEADERS_FILE}`, headers);
    await writeFile(
      `${draft}/${DEPLOYMENT_FILE}`,
      writeDeployment({ generators: deployed, immutable }),
    );
    await buildPage(`${draft}/page`);
  });
  return checked;
}

/** @returns how many pictures it has. */
async function copyGallery(
  folder: string,
  { generator, kept, target }: { generator: GeneratorDescription; kept: boolean; target: string },
): Promise<number> {
  const { pictures, read } = await openGallery(folderReader(folder), generator, { kept });
  await mkdir(dirname(`${target}/${galleryFile(generator.hash, 0)}`), { recursive: true });
  for (let i = 0; i < pictures; i++) {
    await writeFile(`${target}/${galleryFile(generator.hash, i)}`, await read(`${i}`));
  }
  return pictures;
}

/** One rule for each generator that has a gallery. */
function headersOf(generators: readonly Assembled[]): string {
  const rules = generators
    .filter(({ pictures }) => pictures !== undefined)
    .map((generator) => galleryHeaders(generator));
  return [...new Set(rules)].join('');
}

async function main(): Promise<void> {
  const served = await chooseServed(readArguments(servedOptions));
  const checked = await assembleAssets(served);
  console.log(`${describeServed(served, checked)}\nAssembled with the page in ${ASSETS_FOLDER}`);
}

if (import.meta.main) await runCommand(main);
