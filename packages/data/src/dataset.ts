import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { UserError } from '@killme/model';
import { type OmittedFile, type ReadImage, readImages } from './read-images.ts';
import { compareBytes, type Layout, layOut } from './sources/layout.ts';
import { openSource } from './sources/open-source.ts';
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

export interface LoadDatasetOptions {
  /** Class folders, a flat folder, a `.zip` or a `.rar`; the stand-in characters when omitted. */
  path?: string | undefined;
  /** The article's 128. */
  imageSize?: number;
  /** Stop at a bad image instead of omitting it. */
  strict?: boolean;
  /** The colour under transparent pixels, as `#rrggbb`; white when omitted. */
  background?: string | undefined;
  /** Of an animation: its first frame, or each of them as an image. */
  frames?: 'first' | 'all' | undefined;
  /** Where the stand-in characters are kept; see {@link characters}. */
  cacheDir?: string | undefined;
  /** Called with one line at a time: files omitted, progress of rendering the characters. */
  log?: (line: string) => void;
}

/** The options with their defaults. */
export interface DatasetSource {
  imageSize: number;
  strict: boolean;
  background?: string | undefined;
  frames?: 'first' | 'all' | undefined;
  log: (line: string) => void;
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
  background,
  frames,
  cacheDir,
  log = () => {},
}: LoadDatasetOptions = {}): Promise<Dataset> {
  const options = { imageSize, strict, background, frames, log };
  if (path !== undefined) return readDataset({ path, ...options });
  const rendered = await characters({ size: imageSize, cacheDir, log });
  return { ...(await readDataset({ path: rendered.icons, ...options })), name: 'characters' };
}

async function readDataset(options: DatasetSource & { path: string }): Promise<Dataset> {
  const { path, imageSize, strict, log } = options;
  const found = await readFolderOrArchive(options);
  if (strict && found.bad.length > 0) throw strictError(path, found.bad);
  checkCount({ path, least: 2, ...found });
  logOmitted(found.omitted, log);
  return {
    name: datasetName(path),
    imageSize,
    omitted: found.omitted,
    ...packImages(found.images, imageSize),
  };
}

/** What lies at a path: its images, decoded, and every file that is none. */
export interface FoundImages {
  images: readonly ReadImage[];
  omitted: readonly OmittedFile[];
  /** Of `omitted`, those that are images by name. */
  bad: readonly OmittedFile[];
}

/** @throws UserError as {@link loadDataset}, apart from what `strict` and too few images mean. */
export async function readFolderOrArchive({
  path,
  imageSize,
  background,
  frames,
}: DatasetSource & { path: string }): Promise<FoundImages> {
  const source = await openSource(path);
  try {
    const layout = layOut(datasetName(path), source.files);
    checkLayout(path, layout, imageSize);
    const { images, bad } = await readImages(source, layout, {
      size: imageSize,
      background,
      frames,
    });
    checkMemory(path, images.length, imageSize);
    const byName = (a: OmittedFile, b: OmittedFile) => compareBytes(a.file, b.file);
    return {
      images,
      omitted: [...layout.omitted, ...bad].sort(byName),
      bad: [...layout.bad, ...bad].sort(byName),
    };
  } finally {
    await source.close();
  }
}

/** The last part of a path, without the ending of an archive, in NFC. */
export function datasetName(path: string): string {
  return basename(resolve(path))
    .replace(/\.(zip|rar)$/i, '')
    .normalize('NFC');
}

/** Images one behind the other, and their labels among the classes that have one. */
export function packImages(found: readonly ReadImage[], imageSize: number) {
  const pixels = imageSize * imageSize * 3;
  const images = new Uint8Array(found.length * pixels);
  for (const [i, image] of found.entries()) images.set(image.pixels, i * pixels);
  const classes = [...new Set(found.map((image) => image.class))].sort(compareBytes);
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  const labels = Uint16Array.from(found, (image) => indexOf.get(image.class)!);
  const fingerprint = fingerprintOf(imageSize, labels, images);
  const files = found.map(({ file }) => file);
  return { count: found.length, images, classes, labels, files, fingerprint };
}

function fingerprintOf(imageSize: number, labels: Uint16Array, images: Uint8Array): string {
  const hash = createHash('sha256');
  hash.update(`killme dataset 1\n${imageSize} ${labels.length}\n${labels.join(' ')}\n`);
  return hash.update(images).digest('hex');
}

function checkLayout(path: string, { images, classes }: Layout, imageSize: number): void {
  checkMemory(path, images.length, imageSize);
  if (classes.length > MAX_CLASSES) {
    throw new UserError(
      `${path} holds ${classes.length} class folders, the limit is ${MAX_CLASSES}`,
    );
  }
}

function checkMemory(path: string, count: number, imageSize: number): void {
  const bytes = count * imageSize * imageSize * 3;
  if (bytes <= MAX_DATASET_BYTES) return;
  throw new UserError(
    `${path} holds ${count} images: at ${imageSize} × ${imageSize} pixels they take ` +
      `${(bytes / 2 ** 30).toFixed(1)} GiB of memory, the limit is ${MAX_DATASET_BYTES / 2 ** 30}; use fewer`,
  );
}

/** @throws UserError when there are fewer images than are needed, naming the first that is none. */
export function checkCount({
  path,
  least,
  images,
  omitted,
}: FoundImages & { path: string; least: 1 | 2 }): void {
  if (images.length >= least) return;
  const first = omitted[0];
  const detail =
    first === undefined
      ? ''
      : ` (${omitted.length} omitted, the first: ${first.file}: ${first.reason})`;
  throw new UserError(
    images.length === 0
      ? `${path} holds no image${detail}: give a folder, a .zip or a .rar of images`
      : `${path} holds only one image${detail}: a GAN needs at least 2 to learn from, better hundreds`,
  );
}

/** The error that names the first bad image. */
export function strictError(path: string, bad: readonly OmittedFile[]): UserError {
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
