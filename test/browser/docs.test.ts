import { afterAll, beforeAll, expect, it } from 'vitest';
import { DESK, type Explorer, PHONE, startExplorer } from './chromium.ts';
import { axeFinds } from './page-tests.ts';

let explorer: Explorer;

beforeAll(async () => {
  explorer = await startExplorer();
}, 120_000);

afterAll(() => explorer?.stop(), 30_000);

it.each([
  { name: 'light', options: DESK, colorScheme: 'light' },
  { name: 'dark', options: DESK, colorScheme: 'dark' },
  { name: 'on a phone', options: PHONE, colorScheme: 'light' },
] as const)(
  'the reference page, $name, asks nobody else, and axe finds nothing',
  async (view) => {
    const page = await (await explorer.windows(view.options)).newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(`${explorer.origin}/`)) faults.push(request.url());
    });
    await page.emulateMedia({ colorScheme: view.colorScheme });
    await page.goto(`${explorer.origin}/docs`);
    await page.evaluate(() => {
      for (const image of document.images) image.loading = 'eager';
    });
    await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    const { missing, width } = await page.evaluate(() => ({
      missing: [...document.images].filter((image) => image.naturalWidth === 0).map((i) => i.src),
      width: document.documentElement.scrollWidth,
    }));
    expect(missing).toEqual([]);
    expect(width).toBe(view.options.viewport.width);
    expect(await axeFinds(page)).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  },
  60_000,
);
