/**
 * A gallery rendered in parts: shard `index` of `shards` holds the pictures of the seeds `index`,
 * `index + shards`, `index + 2 · shards` …, in a folder of its own beside the gallery. Merged, they are
 * the gallery that one process renders, byte by byte.
 *
 * @module
 */
import { copyFile, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { writeFolderWhole } from '@killme/command-line';
import { UserError } from '@killme/model';
import * as z from 'zod';
import { galleryFile } from '../src/client.ts';
import { GALLERY_MANIFEST, galleryManifest } from '../src/generator/gallery.ts';
import { RENDERING } from '../src/http/etag.ts';

export const SHARD_MANIFEST = 'shard.json';

export interface Shard {
  /** From 0. */
  index: number;
  shards: number;
  /** Of the whole gallery. */
  pictures: number;
}

const manifestSchema = z.strictObject({
  format: z.literal('killme-gallery-shard'),
  version: z.literal(1),
  /** The hash of the generator that rendered it. */
  generator: z.string(),
  rendering: z.number().int(),
  index: z.number().int().min(0),
  shards: z.number().int().min(1),
  pictures: z.number().int().min(1),
});

type ShardManifest = z.infer<typeof manifestSchema>;

const shardsFolder = (gallery: string) => `${gallery}.shards`;

export const shardFolder = (gallery: string, { index, shards }: Shard) =>
  `${shardsFolder(gallery)}/${index}-of-${shards}`;

export function seedsOfShard({ index, shards, pictures }: Shard): string[] {
  const count = Math.max(0, Math.ceil((pictures - index) / shards));
  return Array.from({ length: count }, (_, i) => `${index + i * shards}`);
}

/** The text of a shard's manifest. It is written last: a folder that has it is complete. */
export function shardManifest(generator: string, shard: Shard): string {
  const manifest: ShardManifest = {
    format: 'killme-gallery-shard',
    version: 1,
    generator,
    rendering: RENDERING,
    ...shard,
  };
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** Whether `folder` is the complete shard that `manifest` describes. */
export async function isComplete(folder: string, manifest: string): Promise<boolean> {
  const text = await readFile(`${folder}/${SHARD_MANIFEST}`, 'utf8').catch(() => '');
  return text === manifest;
}

/**
 * Merges the shards of `gallery` into it, which it replaces, and removes them.
 * @returns the number of pictures, and their bytes together.
 * @throws UserError in one line that lists shards that are missing, or that names two which are not of one gallery.
 */
export async function mergeShards(gallery: string): Promise<{ count: number; bytes: number }> {
  const folder = shardsFolder(gallery);
  const { generator, shards, pictures } = await readShards(folder);
  let bytes = 0;
  await writeFolderWhole(gallery, async (draft) => {
    await cp(shardFolder(gallery, { index: 0, shards, pictures }), draft, { recursive: true });
    await rm(`${draft}/${SHARD_MANIFEST}`);
    for (let index = 0; index < shards; index++) {
      const shard = { index, shards, pictures };
      for (const seed of seedsOfShard(shard)) {
        const file = galleryFile(generator, Number(seed));
        const source = `${shardFolder(gallery, shard)}/${file}`;
        if (index > 0) await copyFile(source, `${draft}/${file}`);
        bytes += (await stat(source)).size;
      }
    }
    await writeFile(`${draft}/${GALLERY_MANIFEST}`, galleryManifest(generator, pictures));
  });
  await rm(folder, { recursive: true });
  return { count: pictures, bytes };
}

/** What all shards of the folder agree on; they must, and all must be there. */
async function readShards(folder: string): Promise<ShardManifest> {
  const names = await readdir(folder).catch(() => []);
  const found = new Map<string, ShardManifest>();
  // Hidden folders are shards that a process is writing, or that one left when it was killed.
  for (const name of names.filter((name) => !name.startsWith('.')).sort()) {
    found.set(name, await readManifest(`${folder}/${name}/${SHARD_MANIFEST}`));
  }
  const [first] = found;
  if (first === undefined) {
    throw new UserError(
      `${folder} holds no shard: render them with --shard I/N and the same --out`,
    );
  }
  const [firstName, expected] = first;
  for (const [name, manifest] of found) {
    const { index: _, ...whole } = manifest;
    if (Object.entries(whole).every(([key, value]) => expected[key as keyof Shard] === value))
      continue;
    throw new UserError(
      `${firstName} and ${name} in ${folder} are not of one gallery: ` +
        'another generator, version, --count or number of shards; remove the wrong one',
    );
  }
  const missing = Array.from({ length: expected.shards }, (_, index) => index).filter(
    (index) => !found.has(`${index}-of-${expected.shards}`),
  );
  if (missing.length === 0) return expected;
  throw new UserError(
    `${folder} lacks ${missing.length} of ${expected.shards} shards: ${missing.slice(0, 20).join(', ')}` +
      `${missing.length > 20 ? ' …' : ''}`,
  );
}

async function readManifest(path: string): Promise<ShardManifest> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      `${path} is not the manifest of a shard: remove its folder, and render it again`,
    );
  }
}
