import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '@killme/model';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { oneHotLabels } from './batches.ts';
import { loadDataset } from './dataset.ts';
import { BLUE, GREEN, makeFolder, RED } from './testing/files.ts';

const load = (path: string, options = {}) => loadDataset({ path, imageSize: 2, ...options });

const SOLID = { red: [255, 0, 0], green: [0, 255, 0], blue: [0, 0, 255] };
const fourTimes = (pixel: number[]) => [...pixel, ...pixel, ...pixel, ...pixel];

describe('loadDataset', () => {
  it('reads class folders into pixels, labels and one-hot labels', async () => {
    const path = await makeFolder({
      '02/02_001.png': BLUE,
      '01/01_002.png': GREEN,
      '01/01_001.png': RED,
    });
    const dataset = await load(path);
    expect(dataset).toMatchObject({
      name: basename(path),
      imageSize: 2,
      count: 3,
      classes: ['01', '02'],
      labels: Uint16Array.of(0, 0, 1),
      files: ['01/01_001.png', '01/01_002.png', '02/02_001.png'],
      omitted: [],
    });
    expect([...dataset.images]).toEqual([SOLID.red, SOLID.green, SOLID.blue].flatMap(fourTimes));
    expect([...oneHotLabels(dataset)]).toEqual([1, 0, 1, 0, 0, 1]);
  });

  it('makes 128 × 128 pixels of any size when nothing else is asked for', async () => {
    const wide = await sharp(RED).resize(300, 90, { fit: 'fill' }).jpeg().toBuffer();
    const dataset = await loadDataset({ path: await makeFolder({ 'a.jpg': wide, 'b.png': RED }) });
    expect(dataset.imageSize).toBe(128);
    expect(dataset.images).toHaveLength(2 * 128 * 128 * 3);
  });

  it('reads a flat folder as one class', async () => {
    const path = await makeFolder({ 'b.png': BLUE, 'a.png': RED });
    const dataset = await load(path);
    expect(dataset.classes).toEqual([basename(path)]);
    expect([...dataset.labels]).toEqual([0, 0]);
  });

  it('follows links, also one that leads back up', async () => {
    const path = await makeFolder({ 'a/1.png': RED, 'b/2.png': BLUE });
    const elsewhere = await makeFolder({ '3.png': GREEN });
    await symlink(elsewhere, join(path, 'c'));
    await symlink(path, join(path, 'a', 'up'));
    expect((await load(path)).files).toEqual(['a/1.png', 'b/2.png', 'c/3.png']);
  });

  it('gives the same fingerprint for the same pixels and labels, and only for them', async () => {
    const fingerprint = async (files: Record<string, Buffer>) =>
      (await load(await makeFolder(files))).fingerprint;
    const one = await fingerprint({ 'a/1.png': RED, 'b/2.png': BLUE });
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(await fingerprint({ 'x/8.png': RED, 'y/9.png': BLUE })).toBe(one);
    expect(await fingerprint({ 'a/1.png': RED, 'a/2.png': BLUE })).not.toBe(one);
    expect(await fingerprint({ 'a/1.png': RED, 'b/2.png': GREEN })).not.toBe(one);
  });

  it('reads dozens of images at once in their own order', async () => {
    const grey = (level: number) =>
      sharp({ create: { width: 2, height: 2, channels: 3, background: { r: level, g: 0, b: 0 } } })
        .png()
        .toBuffer();
    const files: Record<string, Buffer> = {};
    for (let i = 0; i < 60; i++) files[`${String(i).padStart(3, '0')}.png`] = await grey(i);
    const { images } = await load(await makeFolder(files));
    expect([...images.filter((_, i) => i % 12 === 0)]).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    );
  });
});

describe('loadDataset with names from other systems', () => {
  it('takes é as one letter or as two for the same, and the same order follows', async () => {
    const mac = await load(await makeFolder({ 'cafe\u0301/1.png': RED, 'cafz/2.png': BLUE }));
    const linux = await load(await makeFolder({ 'caf\u00e9/1.png': RED, 'cafz/2.png': BLUE }));
    expect(mac.classes).toEqual(['cafz', 'caf\u00e9']);
    expect(mac).toMatchObject({ classes: linux.classes, files: linux.files });
    expect(mac.fingerprint).toBe(linux.fingerprint);
  });

  it('names a folder whose bytes are no text, and stops at it when strict', async () => {
    const path = await makeFolder({ '1.png': RED, '2.png': BLUE });
    await mkdir(Buffer.concat([Buffer.from(`${path}/caf`), Buffer.of(0xe9)]));
    const reason = expect.stringMatching(/^its name is not UTF-8 text: rename it/);
    expect((await load(path)).omitted).toEqual([{ file: 'caf\\xe9', reason }]);
    await expect(load(path, { strict: true })).rejects.toThrow('bad image caf\\xe9');
  });
});

describe('loadDataset with animations', () => {
  const frames = Buffer.concat(
    [SOLID.red, SOLID.green, SOLID.blue].map((p) => Buffer.from(fourTimes(p))),
  );
  const animation = () =>
    sharp(frames, { raw: { width: 2, height: 6, channels: 3, pageHeight: 2 } });

  it.each(['gif', 'webp'] as const)('reads the first frame of a %s, or all', async (format) => {
    const bytes = await animation()
      .toFormat(format, format === 'webp' ? { lossless: true } : {})
      .toBuffer();
    const path = await makeFolder({ 'a.gif': bytes, 'b.png': BLUE });
    expect((await load(path)).files).toEqual(['a.gif', 'b.png']);
    const all = await load(path, { frames: 'all' });
    expect(all.files).toEqual(['a.gif', 'a.gif#2', 'a.gif#3', 'b.png']);
    expect([...all.images]).toEqual(
      [SOLID.red, SOLID.green, SOLID.blue, SOLID.blue].flatMap(fourTimes),
    );
  });
});

describe('loadDataset with a background', () => {
  it('lays transparent pixels over it', async () => {
    const clear = await sharp(Uint8Array.of(0, 0, 0, 0), {
      raw: { width: 1, height: 1, channels: 4 },
    })
      .png()
      .toBuffer();
    const path = await makeFolder({ 'a.png': clear, 'b.png': clear });
    const { images } = await load(path, { background: '#102030' });
    expect([...images.subarray(0, 3)]).toEqual([0x10, 0x20, 0x30]);
  });
});

describe('loadDataset with bad files', () => {
  const truncated = RED.subarray(0, RED.length - 20);

  async function damagedFolder(): Promise<string> {
    return makeFolder({
      '.DS_Store': 'x',
      'a/1.png': RED,
      'a/cut.png': truncated,
      'a/empty.png': '',
      'b/2.png': BLUE,
      'b/text.png': 'this is no image',
      'notes.txt': 'see the site',
      'only-bad/3.png': 'no',
    });
  }

  it('names each with the reason, omits it and keeps the rest in order', async () => {
    const lines: string[] = [];
    const dataset = await load(await damagedFolder(), { log: (line: string) => lines.push(line) });
    expect(dataset).toMatchObject({
      count: 2,
      classes: ['a', 'b'],
      labels: Uint16Array.of(0, 1),
      files: ['a/1.png', 'b/2.png'],
      omitted: [
        { file: 'a/cut.png', reason: expect.stringMatching(/^damaged or cut short \(.+\)$/) },
        { file: 'a/empty.png', reason: 'the file is empty (0 bytes)' },
        { file: 'b/text.png', reason: 'its content is not an image that can be read' },
        { file: 'notes.txt', reason: 'not an image (.txt)' },
        { file: 'only-bad/3.png', reason: 'its content is not an image that can be read' },
      ],
    });
    expect([...dataset.images]).toEqual([SOLID.red, SOLID.blue].flatMap(fourTimes));
    expect(lines).toHaveLength(5);
    expect(lines[1]).toBe('omitted a/empty.png: the file is empty (0 bytes)');
  });

  it('stops at them when strict', async () => {
    const path = await damagedFolder();
    await expect(load(path, { strict: true })).rejects.toThrow(
      new RegExp(`^bad image a/cut.png in ${path}: damaged .+ \\(and 3 more bad images\\); mend`),
    );
  });

  it('does not take a text file for a bad image when strict', async () => {
    const path = await makeFolder({ '1.png': RED, '2.png': BLUE, 'LICENSE.txt': 'free' });
    expect((await load(path, { strict: true })).count).toBe(2);
  });

  it('names a broken link', async () => {
    const path = await makeFolder({ '1.png': RED, '2.png': BLUE });
    await symlink(join(path, 'gone'), join(path, '3.png'));
    expect((await load(path)).omitted).toEqual([{ file: '3.png', reason: 'a broken link' }]);
  });
});

describe('loadDataset without a dataset', () => {
  const fault = (path: string) =>
    load(path).then(
      () => 'loaded',
      (error: unknown) => (error instanceof UserError ? error.message : error),
    );

  it('says why the path cannot be read, where there is something', async () => {
    const path = join(await makeFolder({}), 'icons');
    await symlink('icons', path);
    expect(await fault(path)).toBe(
      `${path} cannot be read (ELOOP): its links lead in a circle: mend them`,
    );
  });

  it('says that the path does not exist', async () => {
    expect(await fault('/nowhere/icons')).toBe(
      '/nowhere/icons does not exist: give a folder, a .zip or a .rar of images',
    );
  });

  it('says that a folder is empty', async () => {
    const path = await makeFolder();
    await mkdir(join(path, 'sub'));
    expect(await fault(path)).toBe(
      `${path} holds no image: give a folder, a .zip or a .rar of images`,
    );
  });

  it('says what was omitted when nothing remains', async () => {
    const path = await makeFolder({ 'a.txt': 'x', 'b.png': '' });
    expect(await fault(path)).toBe(
      `${path} holds no image (2 omitted, the first: a.txt: not an image (.txt)): ` +
        'give a folder, a .zip or a .rar of images',
    );
  });

  it('says that one image is not enough', async () => {
    const path = await makeFolder({ 'a.png': RED });
    expect(await fault(path)).toBe(
      `${path} holds only one image: a GAN needs at least 2 to learn from, better hundreds`,
    );
  });

  it('says that a file is no archive', async () => {
    const folder = await makeFolder({ 'page.rar': '<html>', 'none.zip': '' });
    expect(await fault(join(folder, 'page.rar'))).toContain(
      'is neither a folder nor a .zip or .rar',
    );
    expect(await fault(join(folder, 'none.zip'))).toBe(`${folder}/none.zip is empty (0 bytes)`);
  });

  it('says that there are more images than memory', async () => {
    const folder = await makeFolder();
    for (let i = 0; i < 3; i++) await writeFile(join(folder, `${i}.png`), RED);
    await expect(loadDataset({ path: folder, imageSize: 30_000 })).rejects.toThrow(
      `${folder} holds 3 images: at 30000 × 30000 pixels they take 7.5 GiB of memory, the limit is 4`,
    );
  });
});
