import { basename, extname } from 'node:path/posix';
import type { SourceFile } from './source.ts';

/** A file bigger than this is no icon or photo, and is not read into memory. */
export const MAX_FILE_BYTES = 64 * 2 ** 20;

/** Files whose name says image. One that cannot be read after all is named as bad then. */
const IMAGE_EXTENSIONS = new Set(
  '.apng .avif .bmp .cur .gif .heic .heif .ico .jfif .jpe .jpeg .jpg .jxl .png .svg .tif .tiff .webp'.split(
    ' ',
  ),
);

/** What operating systems leave in folders. */
const SYSTEM_FILES = new Set(['thumbs.db', 'desktop.ini', 'ehthumbs.db']);

export interface Layout {
  /** Files to decode, sorted by the bytes of `file`. */
  images: readonly LaidOutImage[];
  /** Files that are omitted without being read. */
  omitted: readonly { file: string; reason: string }[];
  /** Of `omitted`, those that are images by name: `strict` stops at one. */
  bad: readonly { file: string; reason: string }[];
  /** Sorted by bytes; only those with at least one image by name. */
  classes: readonly string[];
  /** The folder that holds the classes, with a trailing `/`; empty for the root itself. */
  base: string;
}

export interface LaidOutImage {
  /** As the source lists it. */
  path: string;
  /** The path in Unicode's NFC: macOS writes é as two characters, Linux and Windows as one. */
  file: string;
  /** In NFC too. */
  class: string;
}

/**
 * Which class each image of a listing belongs to.
 *
 * - Folders are classes, as in the article (`01/01_082.png`); images deeper down belong to the
 *   topmost folder.
 * - A single folder that wraps all images is looked through, as often as there is one.
 * - No folders: one class, named after the folder the images lie in (`name` for the root).
 * - Images beside the folders: they are a class of their own, named `.`.
 */
export function layOut(name: string, files: readonly SourceFile[]): Layout {
  const seen = files
    .filter(({ path }) => !isSystemFile(path))
    .map((file) => ({ ...file, file: file.path.normalize('NFC') }))
    .toSorted((a, b) => compareBytes(a.file, b.file) || compareBytes(a.path, b.path));
  const images: { path: string; file: string }[] = [];
  const omitted: { file: string; reason: string }[] = [];
  const bad: { file: string; reason: string }[] = [];
  for (const file of seen) {
    const extension = extname(file.path).toLowerCase();
    const isImage = IMAGE_EXTENSIONS.has(extension) || file.mayHoldImages === true;
    const reason = isImage
      ? faultOf(file)
      : `not an image (${extension === '' ? 'no file name extension' : extension})`;
    if (reason === undefined) images.push({ path: file.path, file: file.file });
    else {
      omitted.push({ file: file.file, reason });
      if (isImage) bad.push({ file: file.file, reason });
    }
  }

  const base = wrappingFolder(images.map(({ file }) => file));
  const flatName = base === '' ? name : basename(base);
  const isFlat = images.every(({ file }) => !file.slice(base.length).includes('/'));
  const classOf = (file: string) => {
    const inside = file.slice(base.length);
    if (isFlat) return flatName;
    return inside.includes('/') ? inside.slice(0, inside.indexOf('/')) : '.';
  };
  const classed = images.map(({ path, file }) => ({ path, file, class: classOf(file) }));
  const classes = [...new Set(classed.map((image) => image.class))].sort(compareBytes);
  return { images: classed, omitted, bad, classes, base };
}

/** Byte-wise order of UTF-8: the same in every locale, on every machine. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function isSystemFile(path: string): boolean {
  return path
    .split('/')
    .some(
      (part) => part.startsWith('.') || part === '__MACOSX' || SYSTEM_FILES.has(part.toLowerCase()),
    );
}

function faultOf({ size, fault }: SourceFile): string | undefined {
  if (fault !== undefined) return fault;
  if (size === 0) return 'the file is empty (0 bytes)';
  if (size <= MAX_FILE_BYTES) return undefined;
  return `the file has ${Math.ceil(size / 2 ** 20)} MiB, the limit is ${MAX_FILE_BYTES / 2 ** 20} MiB`;
}

function wrappingFolder(paths: readonly string[]): string {
  let base = '';
  while (paths.length > 0) {
    const end = paths[0]!.indexOf('/', base.length);
    const next = paths[0]!.slice(0, end + 1);
    if (end === -1 || !paths.every((path) => path.startsWith(next))) return base;
    base = next;
  }
  return base;
}
