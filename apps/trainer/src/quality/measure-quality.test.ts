// @module-tag slow
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@killme/model';
import { decode, encode } from 'fast-png';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type MeasureOptions, measureQuality } from './measure-quality.ts';
import { qualityReportSchema, qualityTables } from './quality-report.ts';

const SIDE = 128;
const folder = mkdtempSync(join(tmpdir(), 'killme-'));
const real = join(folder, 'real');
const copies = join(folder, 'copies');
const other = join(folder, 'other');

/** Blocks of 16×16 pixels, each of a colour of its own. */
function writePicture(path: string, key: string): void {
  const levels = createRandom(key).uint32s((SIDE / 16) ** 2 * 3);
  const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const [y, x] = [Math.floor(pixel / SIDE) >> 4, (pixel % SIDE) >> 4];
    return levels[(y * (SIDE / 16) + x) * 3 + channel]! >>> 24;
  });
  writeFileSync(path, encode({ width: SIDE, height: SIDE, data, channels: 3, depth: 8 }));
}

beforeAll(() => {
  for (const path of [real, copies, other]) mkdirSync(path);
  for (let i = 0; i < 26; i++) writePicture(join(real, `${i}.png`), `picture ${i}`);
  for (let i = 0; i < 13; i++) writePicture(join(copies, `${i}.png`), `picture ${i}`);
  for (let i = 0; i < 13; i++) {
    const data = new Uint8Array(SIDE * SIDE * 3).fill(20 * i);
    const png = encode({ width: SIDE, height: SIDE, data, channels: 3, depth: 8 });
    writeFileSync(join(other, `${i}.png`), png);
  }
});

async function run(fake: string, options: Partial<MeasureOptions> = {}): Promise<string> {
  const said = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    const given = { real, fake, count: 13, seed: 0, backend: 'wasm', json: true } as const;
    await measureQuality({ ...given, ...options });
    return said.mock.calls.map(([line]) => String(line)).join('\n');
  } finally {
    said.mockRestore();
  }
}

const parse = (json: string) => qualityReportSchema.parse(JSON.parse(json));

describe('npm run metrics', () => {
  const scores = join(folder, 'scores.json');

  it('finds that copies are copies, and shows each beside its training image', async () => {
    const nearest = join(folder, 'nearest.png');
    const report = parse(await run(copies, { nearest }));
    expect(report.nearest.ratio).toBe(0);
    expect(report.nearest.heldOutRatio).toBeGreaterThan(0.5);
    expect(report.random.model.precision).toBeGreaterThan(0.8);
    const { width, height, data } = decode(readFileSync(nearest));
    expect({ width, height }).toEqual({ width: 8 * SIDE, height: 4 * SIDE });
    const pair = [10 * width + 10, 10 * width + 10 + SIDE].map((pixel) =>
      [...data.slice(3 * pixel, 3 * pixel + 3)].join(),
    );
    expect(pair[0]).toBe(pair[1]);
  });

  it('holds plain grey pictures for worse than real ones', async () => {
    expect(await run(other, { json: scores })).toContain('| rKID ');
    const { slicedWasserstein, random } = parse(readFileSync(scores, 'utf8'));
    slicedWasserstein.model.slice(0, 3).forEach(({ distance }, i) => {
      expect(distance).toBeGreaterThan(slicedWasserstein.floor[i]!.distance);
    });
    const { model, floor } = random;
    expect(model.kernelDistance.mean).toBeGreaterThan(floor.kernelDistance.mean);
    expect(model.precision).toBeLessThan(floor.precision);
    expect(model.coverage).toBeLessThan(floor.coverage);
  });

  it('gives the same figures again: against those, every score is 1', async () => {
    const table = await run(other, { json: false, against: scores });
    const normalised = [...table.matchAll(/\| +(\S+) \|\n/g)].map(([, cell]) => cell);
    expect(normalised.slice(0, 2)).toEqual(['normalised', '---------:']);
    expect(new Set(normalised.slice(2))).toEqual(new Set(['1.000']));
  });

  it.each([
    [64, [64, 32, 16]],
    [256, [256, 128, 64, 32, 16]],
  ] as const)(
    'measures pictures at %i pixels where that is asked for',
    async (imageSize, sides) => {
      const report = parse(await run(copies, { imageSize }));
      expect(report.slicedWasserstein.model.map(({ side }) => side)).toEqual(sides);
      expect(report.nearest.ratio).toBe(0);
      expect(report.parts!.model).toBeGreaterThan(0);
    },
  );

  it('scores real images that were held out with 0', () => {
    const report = parse(readFileSync(scores, 'utf8'));
    const perfect = { ...report, random: { ...report.random, model: report.random.floor } };
    expect(qualityTables(perfect, report)).toMatch(/\| rKID +\|.*\| +0\.000 \|/);
  });

  it.each([
    ['nothing of the name', { fake: 'no-such-run' }, /no-such-run is no run in .*runs/],
    ['too few real images', { fake: real, real: copies }, /there are 13 real images: each half/],
    ['scores that are none', { against: import.meta.filename }, /is not what npm run metrics/],
    ['scores that are not there', { against: '/none.json' }, /there is no file --against/],
  ])('says what is wrong: %s', async (_, options, message) => {
    await expect(run(copies, options)).rejects.toThrow(message);
  });

  it('refuses scores that were measured with other real images', async () => {
    const report = parse(readFileSync(scores, 'utf8'));
    const file = join(folder, 'others.json');
    const others = { ...report, real: { ...report.real, fingerprint: '0' } };
    writeFileSync(file, JSON.stringify(others));
    await expect(run(copies, { against: file })).rejects.toThrow(/with other real images/);
  });
});
