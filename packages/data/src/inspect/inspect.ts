import { MAX_CONDITION_CLASSES } from '@killme/model/training';
import {
  checkCount,
  type FoundImages,
  packImages,
  readFolderOrArchive,
  strictError,
} from '../dataset.ts';
import type { OmittedFile, ReadImage } from '../read-images.ts';
import { findNearDuplicates } from './near-duplicates.ts';

/** Fewer images than this, and a GAN learns them by heart. */
const FEW_IMAGES = 100;
const FEW_IN_CLASS = 10;

/** What a folder or archive holds, and what training would make of it. */
export interface Inspection {
  name: string;
  count: number;
  /** Pixels along each side that training sees. */
  imageSize: number;
  classes: { name: string; count: number }[];
  /** Files of each format. */
  formats: Record<string, number>;
  /** The smallest, the median and the largest shorter side of the files, in pixels. */
  shorterSide: { smallest: number; median: number; largest: number };
  /** Not square: the share of the picture that the centre-crop takes off, 0 … 1, largest first. */
  cropped: { file: string; share: number }[];
  /** Shorter than the image size, so scaled up. */
  tiny: { file: string; width: number; height: number }[];
  /** Animations, and how many frames each has. */
  animated: { file: string; frames: number }[];
  /** With transparent pixels. */
  transparent: string[];
  /** Of one colour everywhere. */
  oneColour: string[];
  /** Of one colour only because the background hides what it shows, as white glyphs on white. */
  hiddenByBackground: string[];
  /** Groups of files that look alike. */
  nearDuplicates: string[][];
  omitted: readonly OmittedFile[];
  fingerprint: string;
  /** What `train` would do with it, a sentence each. */
  training: string[];
}

export interface InspectedSet extends BothBackgrounds {
  name: string;
  imageSize: number;
}

interface BothBackgrounds {
  /** Over the background that was asked for. */
  found: FoundImages;
  /** The same images over the opposite colour. */
  opposite: readonly ReadImage[];
}

/**
 * Reads a folder or archive over its background and over the opposite colour: the difference is
 * what is transparent.
 * @throws UserError as {@link loadDataset}; one image is enough.
 */
export async function findImages(
  path: string,
  options: { imageSize: number; strict: boolean; background?: string; frames: 'first' | 'all' },
): Promise<BothBackgrounds> {
  const { background = '#ffffff', imageSize, strict, frames } = options;
  const read = { path, imageSize, strict, frames, log: () => {} };
  const found = await readFolderOrArchive({ ...read, background });
  if (strict && found.bad.length > 0) throw strictError(path, found.bad);
  checkCount({ path, least: 1, ...found });
  const opposite = await readFolderOrArchive({ ...read, background: oppositeOf(background) });
  return { found, opposite: opposite.images };
}

/** `#ffffff` for `#000000`: what is invisible on one is plain on the other. */
function oppositeOf(colour: string): string {
  return `#${(0xffffff - Number.parseInt(colour.slice(1), 16)).toString(16).padStart(6, '0')}`;
}

/** Looks at a dataset as training would see it. At least one image is needed. */
export function inspectImages({ name, imageSize, found, opposite }: InspectedSet): Inspection {
  const { images, omitted } = found;
  const packed = packImages(images, imageSize);
  const files = images.filter(({ file, header }) => header.width > 0 && !/#\d+$/.test(file));
  const sides = files
    .map(({ header }) => Math.min(header.width, header.height))
    .sort((a, b) => a - b);
  const isPlain = images.map(({ pixels }) => isOneColour(pixels));
  const isHidden = images.map((_, i) => isPlain[i]! && !isOneColour(opposite[i]!.pixels));
  const classes = packed.classes.map((className, i) => ({
    name: className,
    count: packed.labels.filter((label) => label === i).length,
  }));
  const report = {
    name,
    count: images.length,
    imageSize,
    classes,
    formats: countBy(files.map(({ header }) => header.format)),
    shorterSide: {
      smallest: sides[0] ?? 0,
      median: sides[sides.length >> 1] ?? 0,
      largest: sides.at(-1) ?? 0,
    },
    cropped: files
      .map(({ file, header }) => ({ file, share: croppedShare(header) }))
      .filter(({ share }) => share > 0)
      .sort((a, b) => b.share - a.share),
    tiny: files
      .filter(({ header }) => Math.min(header.width, header.height) < imageSize)
      .filter(({ header }) => header.format !== 'svg')
      .map(({ file, header: { width, height } }) => ({ file, width, height })),
    animated: files
      .filter(({ header }) => header.frames > 1)
      .map(({ file, header }) => ({ file, frames: header.frames })),
    transparent: images.filter((image, i) => differ(image, opposite[i]!)).map(({ file }) => file),
    oneColour: images.filter((_, i) => isPlain[i] && !isHidden[i]).map(({ file }) => file),
    hiddenByBackground: images.filter((_, i) => isHidden[i]).map(({ file }) => file),
    nearDuplicates: findNearDuplicates(
      images.map(({ pixels }) => pixels),
      imageSize,
    ).map((group) => group.map((i) => images[i]!.file)),
    omitted,
    fingerprint: packed.fingerprint,
  };
  return { ...report, training: foreseeTraining(report) };
}

function foreseeTraining({
  count,
  classes,
  hiddenByBackground,
  animated,
}: Omit<Inspection, 'training'>): string[] {
  const lines: string[] = [];
  if (count < 2) return ['train refuses it: a GAN needs at least 2 images'];
  if (classes.length === 1) {
    lines.push('one class: neither preset is class-conditional');
  } else if (classes.length > MAX_CONDITION_CLASSES) {
    lines.push(
      `${classes.length} classes: lite is class-conditional on at most ${MAX_CONDITION_CLASSES}, so here on none`,
    );
  } else {
    lines.push(`lite is class-conditional on the ${classes.length} classes, article on none`);
  }
  if (count < FEW_IMAGES) {
    lines.push(`${count} images are few: expect copies of them; some hundreds are better`);
  }
  const small = classes.filter((one) => one.count < FEW_IN_CLASS);
  if (classes.length > 1 && small.length > 0) {
    lines.push(
      `classes with fewer than ${FEW_IN_CLASS} images, too few to learn: ` +
        small.map((one) => `${one.name} (${one.count})`).join(', '),
    );
  }
  if (hiddenByBackground.length > 0) {
    lines.push('choose another --background: the present one hides what they show');
  }
  if (animated.length > 0) {
    lines.push('of each animation the first frame is taken; --frames all takes each');
  }
  return lines;
}

function croppedShare({ width, height }: { width: number; height: number }): number {
  return 1 - Math.min(width, height) / Math.max(width, height);
}

function isOneColour(pixels: Uint8Array): boolean {
  return pixels.every((value, i) => value === pixels[i % 3]);
}

function differ(a: ReadImage, b: ReadImage): boolean {
  return Buffer.compare(a.pixels, b.pixels) !== 0;
}

function countBy(values: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]),
  );
}
