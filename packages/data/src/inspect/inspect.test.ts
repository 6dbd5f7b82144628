import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { GREEN, makeFolder, RED } from '../testing/files.ts';
import { writeContactSheet } from './contact-sheet.ts';
import { describeInspection } from './describe.ts';
import { findImages, inspectImages } from './inspect.ts';

const svg = (body: string, width = 200, height = 200) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`;
const png = (source: string) => sharp(Buffer.from(source)).png().toBuffer();

const FACE = svg(`<rect width="200" height="200" fill="#fc8"/><circle cx="70" cy="80" r="16"/>
  <circle cx="130" cy="80" r="16"/><path d="M60 130q40 40 80 0" stroke="#000" stroke-width="10"/>`);
const OTHER_MOUTH = FACE.replace('M60 130q40 40 80 0', 'M60 150q40 -40 80 0');
const WHITE_GLYPH = svg('<circle cx="100" cy="100" r="60" fill="#fff"/>');
const WIDE = svg(
  '<rect width="400" height="100" fill="#08f"/><circle cx="200" cy="50" r="40"/>',
  400,
  100,
);

const inspect = async (files: Record<string, Uint8Array | string>, background?: string) => {
  const path = await makeFolder(files);
  const read = { imageSize: 128, strict: false, frames: 'first' } as const;
  const found = await findImages(path, { ...read, ...(background && { background }) });
  return inspectImages({ name: 'icons', imageSize: 128, ...found });
};

describe('inspectImages', () => {
  it('finds a copy that was scaled and compressed, but no other face', async () => {
    const face = await png(FACE);
    const copy = await sharp(face).resize(150).jpeg({ quality: 60 }).toBuffer();
    const report = await inspect({ 'a.png': face, 'b.jpg': copy, 'c.png': await png(OTHER_MOUTH) });
    expect(report.nearDuplicates).toEqual([['a.png', 'b.jpg']]);
    expect(report.formats).toEqual({ png: 2, jpeg: 1 });
  });

  it('finds white glyphs that white hides, and says to choose another background', async () => {
    const files = {
      'glyph.png': await png(WHITE_GLYPH),
      'face.png': await png(FACE),
      'red.png': RED,
    };
    const onWhite = await inspect(files);
    expect(onWhite).toMatchObject({
      hiddenByBackground: ['glyph.png'],
      oneColour: ['red.png'],
      transparent: ['glyph.png'],
      training: [
        'one class: neither preset is class-conditional',
        '3 images are few: expect copies of them; some hundreds are better',
        'choose another --background: the present one hides what they show',
      ],
    });
    expect((await inspect(files, '#202020')).hiddenByBackground).toEqual([]);
  });

  it('tells what the crop takes off, and what is scaled up', async () => {
    const report = await inspect({ 'wide.png': await png(WIDE), 'small.png': GREEN });
    expect(report.cropped).toEqual([{ file: 'wide.png', share: 0.75 }]);
    expect(report.tiny).toEqual([
      { file: 'small.png', width: 8, height: 8 },
      { file: 'wide.png', width: 400, height: 100 },
    ]);
    expect(report.shorterSide).toEqual({ smallest: 8, median: 100, largest: 100 });
  });

  it('tells on how many classes lite is conditional', async () => {
    const face = await png(FACE);
    const few = await inspect({ 'a/1.png': face, 'b/1.png': RED });
    expect(few.training[0]).toBe('lite is class-conditional on the 2 classes, article on none');
    const many = Array.from({ length: 51 }, (_, i) => [`${i}/1.png`, RED]);
    expect((await inspect(Object.fromEntries(many))).training[0]).toBe(
      '51 classes: lite is class-conditional on at most 50, so here on none',
    );
  });

  it('names animations', async () => {
    const frames = Buffer.concat([Buffer.alloc(192, 9), Buffer.alloc(192, 200)]);
    const gif = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
      .gif()
      .toBuffer();
    const report = await inspect({ 'a.gif': gif, 'b.png': RED });
    expect(report.animated).toEqual([{ file: 'a.gif', frames: 2 }]);
    expect(describeInspection(report)).toContain('  a.gif (2 frames)');
  });
});

describe('writeContactSheet', () => {
  it('shows each class in rows of its own', async () => {
    const path = await makeFolder({ 'a/1.png': RED, 'a/2.png': RED, 'b/1.png': GREEN });
    const { found } = await findImages(path, { imageSize: 128, strict: false, frames: 'first' });
    const file = join(path, 'sheet.png');
    await writeContactSheet(found.images, { file, size: 128 });
    const { data, info } = await sharp(await readFile(file))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([1280, 128]);
    const at = (x: number, y: number) => [...data.subarray((y * 1280 + x) * 3).subarray(0, 3)];
    expect([at(32, 32), at(96, 32), at(32, 96), at(96, 96)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
      [0, 255, 0],
      [136, 136, 136],
    ]);
  });
});
