/**
 * `npm run grids`: what several generators make of the same seeds, side by side.
 *
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileWhole } from '@killme/command-line';
import { type Picture, tile, UserError } from '@killme/model';
import sharp from 'sharp';
import { pictureAt } from './image-set.ts';
import { findMadeImages, renderSeeds } from './made-images.ts';

/** Pixels of white between grids. */
const GAP = 16;

export interface GridsOptions {
  /** Runs or generator files. */
  generators: readonly string[];
  /** Pictures along each side of a grid: those of the seeds 0 … side² − 1. */
  side: number;
  /** Grids in a row. */
  columns: number;
  /** The PNG. */
  to: string;
}

/**
 * Renders a grid with each generator, on whatever engine is current, and writes them as one picture.
 * @throws UserError when one of them is no generator, or renders images of another size.
 */
export async function writeGrids({ generators, side, columns, to }: GridsOptions): Promise<void> {
  const grids: Picture[] = [];
  for (const given of generators) {
    const made = await findMadeImages(given);
    if (made.kind !== 'generator') {
      throw new UserError(`${given} is neither a run nor a generator file`);
    }
    const images = await renderSeeds(made.generator, side ** 2);
    const [first] = grids;
    if (first && first.width !== side * images.imageSize) {
      throw new UserError(
        `${generators[0]} renders images of ${first.width / side} pixels, ${given} of ${images.imageSize}: ` +
          'give generators of one size',
      );
    }
    const pictures = Array.from({ length: images.count }, (_, i) => pictureAt(images, i));
    grids.push(tile(pictures, side));
    console.log(made.generator.description);
  }
  await mkdir(dirname(to), { recursive: true });
  await writeFileWhole(to, await sideBySide(grids, columns));
}

/** A PNG of pictures of one size, row by row, with white between them. */
export function sideBySide(grids: readonly Picture[], columns: number): Promise<Buffer> {
  const { width, height } = grids[0]!;
  const across = Math.min(columns, grids.length);
  const down = Math.ceil(grids.length / across);
  const sheet = sharp({
    create: {
      width: across * (width + GAP) - GAP,
      height: down * (height + GAP) - GAP,
      channels: 3,
      background: '#ffffff',
    },
  });
  const placed = grids.map((grid, i) => ({
    input: Buffer.from(grid.data),
    raw: { width, height, channels: 3 as const },
    left: (i % across) * (width + GAP),
    top: Math.floor(i / across) * (height + GAP),
  }));
  return sheet.composite(placed).removeAlpha().png({ compressionLevel: 9 }).toBuffer();
}
