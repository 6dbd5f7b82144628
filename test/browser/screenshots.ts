/**
 * Takes the screenshots of docs/images/ anew, with the shipped generator.
 *
 *     node test/browser/screenshots.ts
 *
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import sharp from 'sharp';
import { type Explorer, PHONE, startExplorer, visit } from './chromium.ts';

const FOLDER = fileURLToPath(new URL('../../docs/images', import.meta.url));

/** The README shows them side by side; each must load quickly, so colours are given up. */
const BYTES_AT_MOST = 250_000;

const SHOTS: readonly {
  name: string;
  path: string;
  options: BrowserContextOptions;
}[] = [
  { name: 'page-light', path: '/', options: { viewport: { width: 1000, height: 990 } } },
  {
    name: 'page-dark',
    path: '/#part=walk',
    options: { viewport: { width: 1000, height: 870 }, colorScheme: 'dark' },
  },
  {
    name: 'page-phone',
    path: '/#part=sums',
    options: { ...PHONE, viewport: { width: 390, height: 600 }, deviceScaleFactor: 1.5 },
  },
];

async function take(explorer: Explorer, { name, path, options }: (typeof SHOTS)[number]) {
  const { page, faults } = await visit(explorer, path, {
    ...options,
    reducedMotion: 'reduce', // so that it does not glide to the part that is shown
  });
  await page.waitForLoadState('networkidle');
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
  const png = await page.screenshot();
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
const explorer = await startExplorer({ port: 8787 }); // as the README says
try {
  for (const shot of SHOTS) await take(explorer, shot);
} finally {
  await explorer.stop();
}
