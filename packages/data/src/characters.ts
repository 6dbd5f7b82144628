import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  CHARACTERS,
  CHARACTERS_CREDIT,
  drawFaces,
  RECIPE_VERSION,
  renderFace,
} from './character-recipe.ts';
import { openFolder } from './folder.ts';
import { compareBytes } from './layout.ts';
import { explainWriteError, publishFolder } from './publish-folder.ts';

/** Where the stand-in characters lie. */
export interface CharacterFolder {
  /** Holds `icons/`, `CREDITS.txt` and the manifest. */
  folder: string;
  /** Class folders of PNGs: `hazel/hazel_001.png` … */
  icons: string;
}

export interface CharactersOptions {
  /** {@link defaultCacheDir} when left out. */
  cacheDir?: string | undefined;
  log?: (line: string) => void;
}

const MANIFEST = 'manifest.json';
const COUNT = CHARACTERS.reduce((sum, { faces }) => sum + faces, 0);
/** sharp works on as many at once as libuv has threads by default. */
const DRAWN_AT_ONCE = 4;

/** `$XDG_CACHE_HOME/killme`, or `~/.cache/killme` where the variable is not set. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  // The XDG specification has a relative path ignored, an empty one means not set.
  const base = env.XDG_CACHE_HOME;
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'killme');
}

/**
 * The 686 stand-in characters: drawn at first use (some seconds), afterwards taken from the cache
 * if every file of it is still as it was written, else drawn again.
 * @throws UserError when the cache cannot be written.
 */
export async function characters({
  cacheDir = defaultCacheDir(),
  log = () => {},
}: CharactersOptions = {}): Promise<CharacterFolder> {
  const folder = join(cacheDir, `characters-${RECIPE_VERSION}`);
  const drawn = { folder, icons: join(folder, 'icons') };
  const state = await checkCharacters(drawn);
  if (state === 'whole') return drawn;
  if (state === 'damaged') {
    log(`the stand-in characters in ${folder} are damaged: drawing them again`);
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      throw explainWriteError(error, folder);
    });
  }
  await drawCharacters(folder, log).catch(async (error: unknown) => {
    // Another process may have drawn them meanwhile.
    if ((await checkCharacters(drawn)) !== 'whole') throw error;
  });
  return drawn;
}

/**
 * Draws the stand-in characters into a new folder.
 * @throws UserError when `folder` already holds something or cannot be written.
 */
export async function drawCharacters(
  folder: string,
  log: (line: string) => void = () => {},
): Promise<void> {
  await publishFolder(folder, async (unfinished) => {
    log(`drawing ${COUNT} stand-in characters into ${folder} (once)`);
    const icons = join(unfinished, 'icons');
    for (const { name } of CHARACTERS) await mkdir(join(icons, name), { recursive: true });
    const faces = drawFaces();
    let done = 0;
    async function worker(): Promise<void> {
      for (const face of faces) {
        await writeFile(join(icons, face.path), await renderFace(face));
        done++;
        if (done % 200 === 0) log(`drew ${done} of ${COUNT}`);
      }
    }
    await Promise.all(Array.from({ length: DRAWN_AT_ONCE }, worker));
    await writeFile(join(unfinished, 'CREDITS.txt'), `${CHARACTERS_CREDIT}\n`);
    const manifest = { recipe: RECIPE_VERSION, count: COUNT, sha256: await hashFolder(icons) };
    await writeFile(join(unfinished, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  });
}

async function checkCharacters({
  folder,
  icons,
}: CharacterFolder): Promise<'whole' | 'damaged' | 'missing'> {
  const manifest = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
  const hash = await hashFolder(icons).catch(() => undefined);
  if (manifest === undefined && hash === undefined) return 'missing';
  const expected = { recipe: RECIPE_VERSION, count: COUNT, sha256: hash };
  return manifest?.trim() === JSON.stringify(expected, null, 2) ? 'whole' : 'damaged';
}

/** SHA-256 over every file's path, length and bytes. */
async function hashFolder(folder: string): Promise<string> {
  const { files, read } = await openFolder(folder);
  const paths = files.map(({ path }) => path).sort(compareBytes);
  const hash = createHash('sha256');
  for await (const { path, bytes } of read(paths)) {
    const content = await bytes();
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}
