import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { publishFolder } from '../files/publish-folder.ts';
import { openFolder } from '../sources/folder.ts';
import { compareBytes } from '../sources/layout.ts';

/** How a set of icons is rendered: the same ones every time, on every machine. */
export interface IconRecipe {
  /** What the icons are called: `stand-in characters`. */
  title: string;
  /** To be raised with any change of the recipe: icons of another version are rendered anew. */
  version: number;
  count: number;
  /** SPDX identifier of the art's licence. */
  licence: string;
  /** What must go with every copy of the icons, and with images of a generator trained on them. */
  credit: string;
  /** All icons in a fixed order, of so many pixels a side. */
  icons(size: number): Iterable<Icon>;
}

export interface Icon {
  /** As the article numbers its files, in a folder for each class: `hazel/hazel_001.png`. */
  path: string;
  svg: string;
}

/** Pixels along each side where nothing else is asked for: the article's. */
export const ICON_SIZE = 128;

export const MANIFEST = 'manifest.json';

/** sharp works on as many at once as libuv has threads by default. */
const RENDERED_AT_ONCE = 4;

/** `hazel/hazel_001.png` for the first of class `hazel`. */
export const iconPath = (name: string, place: number) =>
  `${name}/${name}_${String(place + 1).padStart(3, '0')}.png`;

/**
 * Renders all icons of a recipe into a new folder: `icons/` with a folder for each class, `CREDITS.txt`
 * and the manifest.
 * @param options.size pixels along each side; {@link ICON_SIZE} when omitted
 * @throws UserError when `folder` already holds something or cannot be written.
 */
export async function renderIcons(
  recipe: IconRecipe,
  folder: string,
  { size = ICON_SIZE, log = () => {} }: { size?: number; log?: (line: string) => void } = {},
): Promise<void> {
  const { title, count, credit } = recipe;
  await publishFolder(folder, async (unfinished) => {
    log(`rendering ${count} ${title} into ${folder} (once)`);
    const icons = join(unfinished, 'icons');
    const queue = recipe.icons(size)[Symbol.iterator]();
    let done = 0;
    async function worker(): Promise<void> {
      for (let next = queue.next(); !next.done; next = queue.next()) {
        const { path, svg } = next.value;
        await mkdir(join(icons, dirname(path)), { recursive: true });
        await writeFile(join(icons, path), await renderIcon(svg));
        done++;
        if (done % 200 === 0) log(`rendered ${done} of ${count}`);
      }
    }
    await Promise.all(Array.from({ length: RENDERED_AT_ONCE }, worker));
    await writeFile(join(unfinished, 'CREDITS.txt'), `${credit}\n`);
    const sha256 = await hashFolder(icons);
    await writeFile(join(unfinished, MANIFEST), `${manifest(recipe, { size, sha256 })}\n`);
  });
}

/** What the manifest of icons of that size and hash says. */
export function manifest(
  { version, count }: IconRecipe,
  { size, sha256 }: { size: number; sha256: string | undefined },
): string {
  return JSON.stringify({ recipe: version, count, size, sha256 }, null, 2);
}

/** SHA-256 over every file's path, length and bytes. */
export async function hashFolder(folder: string): Promise<string> {
  const { files, read } = await openFolder(folder);
  const paths = files.map(({ path }) => path).sort(compareBytes);
  const hash = createHash('sha256');
  for await (const { path, bytes } of read(paths)) {
    const content = await bytes();
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** A PNG without transparency, as large as the SVG says. */
function renderIcon(svg: string): Promise<Buffer> {
  return sharp(Buffer.from(svg)).flatten({ background: '#ffffff' }).png().toBuffer();
}
