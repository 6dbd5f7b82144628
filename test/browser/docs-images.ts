/**
 * Makes the pictures of docs/images/ that show the shipped generators anew: screenshots of its page, and
 * what its routes render.
 *
 *     node test/browser/docs-images.ts
 *
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SHIPPED_GENERATORS } from '@killme/edge';
import type { BrowserContextOptions } from 'playwright-core';
import sharp from 'sharp';
import { type Explorer, PHONE, startExplorer, visit } from './chromium.ts';

const FOLDER = fileURLToPath(new URL('../../docs/images', import.meta.url));

/** Each must load quickly, so colours are given up. */
const BYTES_AT_MOST = 250_000;

const SHOTS: readonly {
  name: string;
  path: string;
  options: BrowserContextOptions;
}[] = [
  { name: 'page-light', path: '/', options: { viewport: { width: 1000, height: 990 } } },
  {
    name: 'page-phone',
    path: '/#part=sums',
    options: { ...PHONE, viewport: { width: 390, height: 600 }, deviceScaleFactor: 1.5 },
  },
];

/** Single answers, as they come. */
const ANSWERS = {
  grid: '/grid?seed=killme&n=5',
  morph: '/morph?from=alice&to=bob&steps=10',
} as const;

const SEEDS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'];
const STRENGTHS = [-4, -3, -2, -1, 0, 1, 2, 3, 4];

/** Pictures of `/img` in rows. */
const SHEETS: Record<string, readonly (readonly string[])[]> = {
  classes: ['hazel', 'raven', 'rosie', 'sunny'].map((name) =>
    SEEDS.map((seed) => `/img?seed=${seed}&class=${name}`),
  ),
  models: ['lite', 'article'].map((name) => SEEDS.map((seed) => `/img?seed=${seed}&model=${name}`)),
  directions: ['direction-1', 'direction-2', 'direction-3', 'raven'].map((name) =>
    STRENGTHS.map((strength) => `/img?seed=bob&move=${name}:${strength}`),
  ),
};

const TILE = 96;
const GAP = 4;

async function take(explorer: Explorer, { name, path, options }: (typeof SHOTS)[number]) {
  const { page, faults } = await visit(explorer, path, {
    ...options,
    reducedMotion: 'reduce', // so that it does not glide to the part that is shown
  });
  await page.waitForLoadState('networkidle');
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
  await write(name, await page.screenshot());
}

async function ask({ origin }: Explorer, path: string): Promise<Buffer> {
  const answer = await fetch(new URL(path, origin));
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return Buffer.from(await answer.arrayBuffer());
}

async function drawSheet(explorer: Explorer, rows: readonly (readonly string[])[]) {
  const tiles: Buffer[] = [];
  for (const path of rows.flat()) {
    const answer = await ask(explorer, path);
    tiles.push(await sharp(answer).resize(TILE).png().toBuffer());
  }
  const join = { across: rows[0]!.length, shim: GAP, background: 'white' };
  return sharp(tiles, { join }).png().toBuffer();
}

async function write(name: string, png: Buffer) {
  const file = `${FOLDER}/${name}.png`;
  for (const colours of [256, 128, 64, 32]) {
    const { size } = await sharp(png).png({ colours, dither: 0.2, effort: 10 }).toFile(file);
    if (size > BYTES_AT_MOST) continue;
    console.log(`${file} (${Math.round(size / 1000)} kB)`);
    return;
  }
  throw new Error(`${file} has more than ${BYTES_AT_MOST} bytes`);
}

await mkdir(FOLDER, { recursive: true });
const explorer = await startExplorer({
  generators: SHIPPED_GENERATORS.map(({ folder }) => folder),
  port: 8787, // as the README says
});
try {
  for (const shot of SHOTS) await take(explorer, shot);
  for (const [name, path] of Object.entries(ANSWERS)) await write(name, await ask(explorer, path));
  for (const [name, rows] of Object.entries(SHEETS)) {
    await write(name, await drawSheet(explorer, rows));
  }
} finally {
  await explorer.stop();
}
