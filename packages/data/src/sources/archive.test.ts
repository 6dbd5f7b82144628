import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@killme/model';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../dataset.ts';
import { type Entry, makeRar4, makeRar5, makeZip } from '../testing/archives.ts';
import { BLUE, GREEN, makeFolder, RED } from '../testing/files.ts';
import { compareBytes } from './layout.ts';
import { openSource } from './open-source.ts';

const FORMATS = [
  { format: 'zip', make: makeZip },
  { format: 'RAR5', make: makeRar5 },
  { format: 'RAR4', make: makeRar4 },
];
const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name);

async function load(archive: Buffer, options = {}) {
  const folder = await makeFolder({ 'icons.rar': archive });
  return loadDataset({ path: join(folder, 'icons.rar'), imageSize: 2, ...options });
}

/** The one line a person sees, without the path of the archive. */
async function faultOf(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => new Error('no fault'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  const text = error instanceof Error ? error.message : '';
  expect(text).not.toContain('\n');
  return text.replace(/^\S+\//, '');
}

describe.each(FORMATS)('an archive in $format', ({ make }) => {
  const files: Entry[] = [
    { path: 'set/02/b.png', bytes: BLUE },
    { path: 'set/01/é.png', bytes: GREEN },
    { path: 'set/01/a.png', bytes: RED },
    { path: 'set/.DS_Store', bytes: Buffer.from('x') },
    { path: '__MACOSX/set/01/._a.png', bytes: Buffer.from('x') },
  ];

  it('is read like the folder it was made of, wrapping folder looked through', async () => {
    const folder = await makeFolder({ '01/a.png': RED, '01/é.png': GREEN, '02/b.png': BLUE });
    const dataset = await load(make(files));
    expect(dataset).toMatchObject({
      name: 'icons',
      classes: ['01', '02'],
      files: ['set/01/a.png', 'set/01/é.png', 'set/02/b.png'],
      omitted: [],
    });
    const { fingerprint } = await loadDataset({ path: folder, imageSize: 2 });
    expect(dataset.fingerprint).toBe(fingerprint);
  });

  it('names its bad images, and stops at them when strict', async () => {
    const archive = make([...files, { path: 'set/01/bad.png', bytes: Buffer.from('text') }]);
    const reason = 'its content is not an image that can be read';
    expect((await load(archive)).omitted).toEqual([{ file: 'set/01/bad.png', reason }]);
    expect(await faultOf(load(archive, { strict: true }))).toContain(`bad image`);
  });

  it.each(['../evil.png', 'a/../../evil.png', '/etc/evil.png', 'C:/evil.png'])(
    'is refused when it holds %s',
    async (path) => {
      const fault = await faultOf(load(make([...files, { path, bytes: RED }])));
      expect(fault).toContain(`icons.rar holds "${path}", a path that leads out of the archive`);
    },
  );

  it('is refused when a checksum does not match', async () => {
    const fault = await faultOf(
      load(make([...files, { path: 'x.png', bytes: RED, damaged: true }])),
    );
    expect(fault).toMatch(/^icons\.rar is damaged at entry "x\.png" \(.+\): get it again/);
  });

  it('is refused when it is cut short', async () => {
    const archive = make(files);
    const fault = await faultOf(load(archive.subarray(0, archive.length - 300)));
    expect(fault).toMatch(/^icons\.rar is damaged/);
  });

  it('is refused when an entry is there twice', async () => {
    const fault = await faultOf(load(make([...files, { path: 'set/01/a.png', bytes: BLUE }])));
    expect(fault).toContain('is damaged at entry "set/01/a.png" (the entry is there twice)');
  });

  it('has entries omitted that declare to be too large, without unpacking them', async () => {
    const huge = { path: 'set/01/x.png', bytes: RED, declaredSize: 2 ** 31 };
    expect((await load(make([...files, huge]))).omitted).toEqual([
      { file: 'set/01/x.png', reason: 'the file has 2048 MiB, the limit is 64 MiB' },
    ]);
  });

  it('is refused when its images unpack to more than memory should hold', async () => {
    const bomb = Array.from({ length: 20 }, (_, i) => ({
      path: `set/01/${i}.png`,
      bytes: RED,
      declaredSize: 60 * 2 ** 20,
    }));
    expect(await faultOf(load(make(bomb)))).toBe(
      'icons.rar unpacks to 1200 MiB of images, more than the 1024 MiB read from an archive: ' +
        'unpack it and give the folder',
    );
  });
});

describe('a zip', () => {
  it('is refused when an entry has a password', async () => {
    const fault = await faultOf(load(makeZip([{ path: 'a.png', bytes: RED, encrypted: true }])));
    expect(fault).toBe(
      'icons.rar is protected by a password (entry "a.png"): unpack it yourself and give the folder',
    );
  });

  it('takes the backslash of old Windows programs for a separator, but not out of the archive', async () => {
    const windows = makeZip([
      { path: 'a\\1.png', bytes: RED },
      { path: 'b\\2.png', bytes: BLUE },
    ]);
    expect((await load(windows)).classes).toEqual(['a', 'b']);
    const fault = await faultOf(load(makeZip([{ path: '..\\evil.png', bytes: RED }])));
    expect(fault).toContain('holds "../evil.png"');
  });

  it('has its ./ in front of entries taken away, as bsdtar writes it', async () => {
    const zip = makeZip([
      { path: './', bytes: Buffer.of() },
      { path: './a/1.png', bytes: RED },
      { path: './b/2.png', bytes: BLUE },
    ]);
    expect(await load(zip)).toMatchObject({ classes: ['a', 'b'], files: ['a/1.png', 'b/2.png'] });
  });

  it.each([
    // Python: 'あぎり'.encode('utf-8'), .encode('cp932'), 'ソーニャ'.encode('cp932'), 'café'.encode('cp437'), …
    ['UTF-8 without its flag', 'e38182e3818ee3828a', 'あぎり'],
    ['Shift-JIS', '82a082ac82e8', 'あぎり'],
    ['Shift-JIS with a backslash byte', '835c815b836a8383', 'ソーニャ'],
    ['one letter of Shift-JIS, a backslash byte', '835c', 'ソ'],
    ['CP437', '636166 82', 'café'],
    ['CP437 that is Shift-JIS by chance', '6368 83 74656175', 'château'],
    ['CP437 that hides in a kanji', '73747261 e1 65', 'straße'],
  ])('has class names in %s read', async (_, hex, name) => {
    const folder = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const entry = (file: string, bytes: Uint8Array) => ({
      path: '',
      rawName: Buffer.concat([folder, Buffer.from(file)]),
      bytes,
    });
    const zip = makeZip([
      entry('/1.png', RED),
      entry('/2.png', BLUE),
      { path: 'z/3.png', bytes: GREEN },
    ]);
    expect((await load(zip)).classes).toEqual([name, 'z'].sort(compareBytes));
  });

  // Numbers of APPNOTE.TXT 4.4.5; nothing has 5.
  it.each([
    [14, 'LZMA'],
    [9, 'Deflate64'],
    [12, 'bzip2'],
    [93, 'Zstandard'],
    [5, 'method 5'],
  ])(
    'is refused by the name of its compression when that is not read: %i',
    async (method, name) => {
      const zip = makeZip([
        { path: 'a.png', bytes: RED, method },
        { path: 'b.png', bytes: BLUE },
      ]);
      expect(await faultOf(load(zip))).toBe(
        `icons.rar is compressed with ${name} (entry "a.png"), which is not read: make it again with ` +
          'Deflate, or unpack it and give the folder',
      );
    },
  );

  it('stops an entry that unfolds to more than it declares', async () => {
    const bomb = { path: 'a.png', bytes: Buffer.alloc(2 ** 20), declaredSize: 100 };
    expect(await faultOf(load(makeZip([bomb, { path: 'b.png', bytes: RED }])))).toMatch(
      /^icons\.rar is damaged at entry "a\.png" \(too many bytes/,
    );
  });

  it('has symbolic links omitted', async () => {
    const link = { path: 'c.png', bytes: Buffer.from('/etc/passwd'), symbolicLink: true };
    const zip = makeZip([{ path: 'a.png', bytes: RED }, { path: 'b.png', bytes: BLUE }, link]);
    expect((await load(zip)).omitted).toEqual([{ file: 'c.png', reason: 'a symbolic link' }]);
  });

  it('may be empty, which is no dataset', async () => {
    expect(await faultOf(load(makeZip([])))).toMatch(/^icons\.rar holds no image/);
  });
});

describe('a rar', () => {
  it.each(['rar5-psw.rar', 'rar3-comment-psw.rar'])(
    'is refused with a password: %s',
    async (name) => {
      expect(await faultOf(loadDataset({ path: fixture(name) }))).toMatch(
        new RegExp(
          `^${name} is protected by a password \\(entry "\\w+\\.txt"\\): unpack it yourself`,
        ),
      );
    },
  );

  it('is refused with a password that covers its names too', async () => {
    expect(await faultOf(loadDataset({ path: fixture('rar5-hpsw.rar') }))).toBe(
      'rar5-hpsw.rar is protected by a password: unpack it yourself and give the folder',
    );
  });

  it('is refused when it is one of several volumes', async () => {
    const fault = await faultOf(
      load(makeRar4([{ path: 'a.png', bytes: RED }], { isVolume: true })),
    );
    expect(fault).toContain('is one of several volumes: unpack all of them together');
  });

  it('is unpacked when it is compressed and solid', async () => {
    const source = await openSource(fixture('rar5-solid.rar'));
    const sizes: Record<string, number> = {};
    for await (const { path, bytes } of source.read(['stest2.txt'])) {
      sizes[path] = (await bytes()).length;
    }
    expect(sizes).toEqual({ 'stest2.txt': 2048 });
  });

  it('can be read while another one is', async () => {
    const archives = [RED, GREEN, BLUE].map((bytes) =>
      makeRar5([
        { path: '1.png', bytes },
        { path: '2.png', bytes },
      ]),
    );
    const datasets = await Promise.all(archives.map((archive) => load(archive)));
    expect(datasets.map(({ images }) => [...images.subarray(0, 3)])).toEqual([
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ]);
  });

  it.each([makeRar4, makeRar5])('never leads out by backslashes', async (make) => {
    const evil = { path: '..\\..\\evil.png', bytes: GREEN };
    const archive = make([evil, { path: 'a.png', bytes: RED }, { path: 'b.png', bytes: BLUE }]);
    expect(await faultOf(load(archive))).toContain('a path that leads out of the archive');
  });

  it('is known by its content: a text file of that name is none', async () => {
    const readme = await readFile(fixture('README.md'));
    expect(await faultOf(load(readme))).toContain('is neither a folder nor a .zip or .rar');
  });
});
