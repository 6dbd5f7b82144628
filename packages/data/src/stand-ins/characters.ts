import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultCacheDir, explainFileError } from '@killme/command-line';
import { UserError } from '@killme/model';
import { CHARACTERS } from './character-recipe.ts';
import { hashFolder, ICON_SIZE, MANIFEST, manifest, renderIcons } from './icon-recipe.ts';

/** Where the stand-in characters lie. */
export interface CharacterFolder {
  /** Holds `icons/`, `CREDITS.txt` and the manifest. */
  folder: string;
  /** Class folders of PNGs: `hazel/hazel_001.png` … */
  icons: string;
}

export interface CharactersOptions {
  /** Pixels along each side; each size has a folder of its own. 128 when omitted. */
  size?: number;
  /** {@link defaultCacheDir} when omitted. */
  cacheDir?: string | undefined;
  log?: (line: string) => void;
}

/**
 * The 686 stand-in characters: rendered at first use (some seconds), afterwards taken from the cache
 * if every file of it is still as it was written, else rendered again.
 * @throws UserError when the cache cannot be written.
 */
export async function characters({
  size = ICON_SIZE,
  cacheDir = defaultCacheDir(),
  log = () => {},
}: CharactersOptions = {}): Promise<CharacterFolder> {
  const folder = join(cacheDir, `characters-${CHARACTERS.version}-${size}`);
  const rendered = { folder, icons: join(folder, 'icons') };
  const state = await checkCharacters(rendered, size);
  if (state === 'whole') return rendered;
  if (state === 'damaged') {
    log(`the stand-in characters in ${folder} are damaged: rendering them again`);
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      throw explainFileError(error, folder);
    });
  }
  await renderIcons(CHARACTERS, folder, { size, log }).catch(async (error: unknown) => {
    // Another process may have rendered them meanwhile.
    if ((await checkCharacters(rendered, size)) === 'whole') return;
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message} (XDG_CACHE_HOME names another cache)`);
  });
  return rendered;
}

async function checkCharacters(
  { folder, icons }: CharacterFolder,
  size: number,
): Promise<'whole' | 'damaged' | 'missing'> {
  const written = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
  const sha256 = await hashFolder(icons).catch(() => undefined);
  if (written === undefined && sha256 === undefined) return 'missing';
  return written?.trim() === manifest(CHARACTERS, { size, sha256 }) ? 'whole' : 'damaged';
}
