/**
 * Takes the screenshots of docs/images/ anew, with the shipped generator.
 *
 *     node test/browser/screenshots.ts
 *
 * @module
 */
import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import sharp from 'sharp';
import { DESK, type Explorer, PHONE, startExplorer, visit } from './chromium.ts';

const FOLDER = fileURLToPath(new URL('../../docs/images', import.meta.url));

/** The README shows them side by side; each must load quickly. */
const BYTES_AT_MOST = 250_000;

const SHOTS: readonly {
  name: string;
  path: string;
  options: BrowserContextOptions;
  height: number;
}[] = [
  { name: 'page-light', path: '/', options: DESK, height: 1180 },
  {
    name: 'page-dark',
    path: '/#x=35&y=-55&part=walk',
    options: { ...DESK, colorScheme: 'dark' },
    height: 1180,
  },
  {
    name: 'page-phone',
    path: '/#part=walk',
    options: { ...PHONE, deviceScaleFactor: 2 },
    height: PHONE.viewport.height,
  },
];

async function take(explorer: Explorer, { name, path, options, height }: (typeof SHOTS)[number]) {
  const width = options.viewport?.width ?? DESK.viewport.width;
  const { page, faults } = await visit(explorer, path, {
    ...options,
    viewport: { width, height },
    reducedMotion: 'reduce', // so that it does not glide to the part that is shown
  });
  await page.waitForLoadState('networkidle');
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
  const file = `${FOLDER}/${name}.png`;
  await sharp(await page.screenshot())
    .png({ palette: true, colours: 192, effort: 10 })
    .toFile(file);
  const { size } = await stat(file);
  if (size > BYTES_AT_MOST) throw new Error(`${file} has ${size} bytes, not ${BYTES_AT_MOST}`);
  console.log(`${file} (${Math.round(size / 1000)} kB)`);
}

await mkdir(FOLDER, { recursive: true });
const explorer = await startExplorer();
try {
  for (const shot of SHOTS) await take(explorer, shot);
} finally {
  await explorer.stop();
}
