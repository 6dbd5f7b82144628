import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { UserError } from '@killme/model';
import { errorCode } from './files/error-code.ts';
import { decodeImage, ImageFault } from './sources/image-file.ts';
import { compareBytes, type Layout, layOut } from './sources/layout.ts';
import { openSource } from './sources/open-source.ts';
import type { Source } from './sources/source.ts';
import { characters } from './stand-ins/characters.ts';

/** Images in memory, with their labels: the article's "please use it for classification too". */
export interface Dataset {
  /** Of the folder or archive, or `characters`. */
  name: string;
  /** Pixels along each side. */
  imageSize: number;
  count: number;
  /** `[count, imageSize, imageSize, 3]`, NHWC, RGB, 0 … 255. */
  images: Uint8Array;
  /** Folder names, sorted by bytes; a flat folder has exactly one class. */
  classes: readonly string[];
  /** `[count]`, index into `classes`. */
  labels: Uint16Array;
  /** `[count]`, path of each image relative to the root, sorted by bytes. */
  files: readonly string[];
  /** What was omitted, and why, in the order of `files`; system files are not mentioned. */
  omitted: readonly OmittedFile[];
  /**
   * SHA-256 over size, labels and pixels, for a checkpoint to check that it goes on with the same
   * data. File names are not part of it: a folder and its archive have the same. Resizing may
   * differ in a last bit between kinds of CPU, images that are already of the right size do not.
   */
  fingerprint: string;
}

export interface OmittedFile {
  file: string;
  reason: string;
}

export interface LoadDatasetOptions {
  /** Class folders, a flat folder, a `.zip` or a `.rar`; the stand-in characters when omitted. */
  path?: string | undefined;
  /** The article's 128. */
  imageSize?: number;
  /** Stop at a bad image instead of omitting it. */
  strict?: boolean;
  /** Where the stand-in characters are kept; see {@link characters}. */
  cacheDir?: string | undefined;
  /** Called with one line at a time: files omitted, progress of rendering the characters. */
  log?: (line: string) => void;
}

/** Pixels of all images together; beyond it a machine would swap long before it trained. */
const MAX_DATASET_BYTES = 4 * 2 ** 30;
const MAX_CLASSES = 2 ** 16;
const MAX_LOGGED_FAULTS = 20;

/**
 * Reads a dataset into memory, like the article's `load_imgs`; see {@link layOut} for what makes a
 * class and {@link decodeImage} for what becomes of an image.
 * @throws UserError when `path` does not exist or is no folder or archive; when the archive is
 * damaged, encrypted or hostile; when fewer than two images are left; and, if `strict`, when one
 * is bad.
 */
export async function loadDataset({
  path,
  imageSize = 128,
  strict = false,
  cacheDir,
  log = () => {},
}: LoadDatasetOptions = {}): Promise<Dataset> {
  if (path === undefined) {
    const rendered = await characters({ cacheDir, log });
    return {
      ...(await readDataset({ path: rendered.icons, imageSize, strict, log })),
      name: 'characters',
    };
  }
  return readDataset({ path, imageSize, strict, log });
}

async function readDataset(options: {
  path: string;
  imageSize: number;
  strict: boolean;
  log: (line: string) => void;
}): Promise<Dataset> {
  const { path, imageSize, strict, log } = options;
  const name = basename(resolve(path)).replace(/\.(zip|rar)$/i, '');
  const source = await openSource(path);
  try {
    const layout = layOut(name, source.files);
    checkLayout(path, layout, imageSize);
    const decoded = await decodeAll(source, layout, imageSize);

    const bad = [...layout.bad, ...decoded.bad].sort((a, b) => compareBytes(a.file, b.file));
    if (strict && bad.length > 0) throw strictError(path, bad);
    const omitted = [...layout.omitted, ...decoded.bad].sort((a, b) =>
      compareBytes(a.file, b.file),
    );
    checkCount(path, decoded.files.length, omitted);
    logOmitted(omitted, log);

    const { files, images } = decoded;
    const { classes, labels } = labelImages(layout, files);
    const fingerprint = fingerprintOf(imageSize, labels, images);
    return {
      name,
      imageSize,
      count: files.length,
      images,
      classes,
      labels,
      files,
      omitted,
      fingerprint,
    };
  } finally {
    await source.close();
  }
}

/** Decodes a few images at a time, each to its place: the order does not depend on which is faster. */
async function decodeAll(
  source: Source,
  layout: Layout,
  imageSize: number,
): Promise<{ images: Uint8Array; files: string[]; bad: OmittedFile[] }> {
  const paths = layout.images.map((image) => image.path);
  const places = new Map(paths.map((path, place) => [path, place]));
  const pixels = imageSize * imageSize * 3;
  const images = new Uint8Array(paths.length * pixels);
  const faults = new Map<string, string>();
  const queue = source.read(paths)[Symbol.asyncIterator]();

  async function worker(): Promise<void> {
    for (let next = await queue.next(); !next.done; next = await queue.next()) {
      const { path, bytes } = next.value;
      try {
        images.set(await decodeImage(await bytes(), imageSize), places.get(path)! * pixels);
      } catch (error) {
        const reason = imageFaultOf(error);
        if (reason === undefined) {
          await queue.return?.();
          throw error;
        }
        faults.set(path, reason);
      }
    }
  }
  // Every worker is awaited even if one fails, so that none reads on from a source that was closed.
  const workers = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  for (const result of workers) if (result.status === 'rejected') throw result.reason;

  const files = paths.filter((path) => !faults.has(path));
  const bad = [...faults].map(([file, reason]) => ({ file, reason }));
  if (bad.length === 0) return { images, files, bad };
  files.forEach((path, i) => {
    const from = places.get(path)! * pixels;
    images.copyWithin(i * pixels, from, from + pixels);
  });
  return { images: images.slice(0, files.length * pixels), files, bad };
}

/** What is wrong with one image; nothing when the fault lies elsewhere, as in a damaged archive. */
function imageFaultOf(error: unknown): string | undefined {
  if (error instanceof ImageFault) return error.message;
  const isUnreadable = error instanceof Error && 'syscall' in error;
  return isUnreadable ? `it cannot be read (${errorCode(error)})` : undefined;
}

/** The classes that still have an image, and each image's index among them. */
function labelImages(
  layout: Layout,
  files: readonly string[],
): { classes: string[]; labels: Uint16Array } {
  const classOf = new Map(layout.images.map((image) => [image.path, image.class]));
  const used = new Set(files.map((file) => classOf.get(file)!));
  const classes = layout.classes.filter((name) => used.has(name));
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  return { classes, labels: Uint16Array.from(files, (file) => indexOf.get(classOf.get(file)!)!) };
}

function fingerprintOf(imageSize: number, labels: Uint16Array, images: Uint8Array): string {
  const hash = createHash('sha256');
  hash.update(`killme dataset 1\n${imageSize} ${labels.length}\n${labels.join(' ')}\n`);
  return hash.update(images).digest('hex');
}

function checkLayout(path: string, { images, classes }: Layout, imageSize: number): void {
  const bytes = images.length * imageSize * imageSize * 3;
  if (bytes > MAX_DATASET_BYTES) {
    throw new UserError(
      `${path} holds ${images.length} images: at ${imageSize} × ${imageSize} pixels they take ` +
        `${(bytes / 2 ** 30).toFixed(1)} GiB of memory, the limit is ${MAX_DATASET_BYTES / 2 ** 30}; use fewer`,
    );
  }
  if (classes.length > MAX_CLASSES) {
    throw new UserError(
      `${path} holds ${classes.length} class folders, the limit is ${MAX_CLASSES}`,
    );
  }
}

function checkCount(path: string, count: number, omitted: readonly OmittedFile[]): void {
  if (count >= 2) return;
  const first = omitted[0];
  const detail =
    first === undefined
      ? ''
      : ` (${omitted.length} omitted, the first: ${first.file}: ${first.reason})`;
  throw new UserError(
    count === 0
      ? `${path} holds no image${detail}: give a folder, a .zip or a .rar of images`
      : `${path} holds only one image${detail}: a GAN needs at least 2 to learn from, better hundreds`,
  );
}

function strictError(path: string, bad: readonly OmittedFile[]): UserError {
  const { file, reason } = bad[0]!;
  const more = bad.length > 1 ? ` (and ${bad.length - 1} more bad images)` : '';
  return new UserError(
    `bad image ${file} in ${path}: ${reason}${more}; mend or remove it, or omit --strict`,
  );
}

function logOmitted(omitted: readonly OmittedFile[], log: (line: string) => void): void {
  for (const { file, reason } of omitted.slice(0, MAX_LOGGED_FAULTS)) {
    log(`omitted ${file}: ${reason}`);
  }
  const rest = omitted.length - MAX_LOGGED_FAULTS;
  if (rest > 0) log(`omitted ${rest} more`);
}
