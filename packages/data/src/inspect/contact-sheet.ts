import { writeFile } from 'node:fs/promises';
import { explainFileError } from '@killme/command-line';
import sharp from 'sharp';
import type { ReadImage } from '../read-images.ts';

const CELL = 64;
const COLUMNS = 20;
/** Rows of one class; of a larger class every so-manieth image is shown. */
const MAX_ROWS = 3;
const MAX_CLASSES = 100;

/**
 * Writes a PNG of the images as training would see them: each class starts a row of its own.
 * @param size pixels along each side of an image.
 * @throws UserError when it cannot be written.
 */
export async function writeContactSheet(
  images: readonly ReadImage[],
  { file, size }: { file: string; size: number },
): Promise<void> {
  const cells = placeCells(images);
  const rows = Math.max(...cells.map(({ row }) => row)) + 1;
  const composed = await Promise.all(
    cells.map(async ({ image, row, column }) => ({
      input: await sharp(image.pixels, { raw: { width: size, height: size, channels: 3 } })
        .resize(CELL, CELL)
        .png()
        .toBuffer(),
      left: column * CELL,
      top: row * CELL,
    })),
  );
  const background = {
    width: COLUMNS * CELL,
    height: rows * CELL,
    channels: 3,
    background: '#888',
  };
  const png = await sharp({ create: { ...background, channels: 3 } })
    .composite(composed)
    .png()
    .toBuffer();
  await writeFile(file, png).catch((error: unknown) => {
    throw explainFileError(error, file);
  });
}

function placeCells(images: readonly ReadImage[]) {
  const classes = [...Map.groupBy(images, (image) => image.class).values()].slice(0, MAX_CLASSES);
  let row = 0;
  return classes.flatMap((members) => {
    const shown = Math.min(members.length, MAX_ROWS * COLUMNS);
    const first = row;
    row += Math.ceil(shown / COLUMNS);
    return Array.from({ length: shown }, (_, i) => ({
      image: members[Math.floor((i * members.length) / shown)]!,
      row: first + Math.floor(i / COLUMNS),
      column: i % COLUMNS,
    }));
  });
}
