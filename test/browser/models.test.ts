import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeRandomGenerator } from '../servers.ts';
import { DESK, type Explorer, PHONE, startExplorer } from './chromium.ts';
import { expectToStandStill, haveBytesOf, keepFiles, pagesOf, pinIn, shown } from './page-tests.ts';

const SHOTS = fileURLToPath(new URL('../dist/page', import.meta.url));

vi.setConfig({ testTimeout: 60_000 });

let written: Awaited<ReturnType<typeof writeRandomGenerator>>[];
let explorer: Explorer;
/** Of both generators, by their names. */
let pins: { lite: string; article: string };

beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true });
  written = [
    await writeRandomGenerator({ classes: { raven: 3, hazel: 2 } }),
    await writeRandomGenerator({ imageSize: 64, distribution: 'normal' }),
  ];
  const [first, second] = written.map(({ folder }) => folder);
  explorer = await startExplorer({ generators: [`lite=${first}`, `article=${second}`] });
  const facts = (await (await fetch(`${explorer.origin}/model`)).json()) as {
    pinned: { model: keyof typeof pins; pin: string }[];
  };
  pins = Object.fromEntries(facts.pinned.map(({ model, pin }) => [model, pin])) as typeof pins;
}, 120_000);

afterAll(async () => {
  await explorer?.stop();
  for (const { remove } of written) await remove();
}, 30_000);

const { open, visit } = pagesOf(() => explorer);

const listOn = (page: Page) => page.getByRole('navigation', { name: 'Generators' });

/** The generators that pictures of the page are asked for, by their pins, the tab's icon included. */
const askedFor = async (page: Page) => {
  const addresses = await page.evaluate(() => {
    const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')!.href;
    return [icon, ...[...document.images].map(({ src }) => src)];
  });
  return [...new Set(addresses.map(pinIn))];
};

describe.each([
  { name: 'light', options: DESK, colorScheme: 'light' },
  { name: 'phone-dark', options: PHONE, colorScheme: 'dark' },
] as const)('the page of one of two generators, $name', (look) => {
  it('stands still, fits, and axe finds nothing', async () => {
    const page = await open('/?model=article', look.options);
    await page.emulateMedia({ colorScheme: look.colorScheme });
    await listOn(page).waitFor();
    await expectToStandStill(visit(), look.options.viewport);
    await page.screenshot({ path: `${SHOTS}/models-${look.name}.png`, fullPage: true });
  });
});

describe('a generator of normal latents', () => {
  it('walks along an arc, unless a line is asked for', async () => {
    const page = await open('/?model=article#part=walk');
    const arc = page.getByLabel('along an arc');
    await page.locator('#walk-arc:checked').waitFor();
    const pathOf = () =>
      page.evaluate(() => {
        const { src } = document.querySelector<HTMLImageElement>('#walk-strip')!;
        return new URL(src).searchParams.get('path');
      });
    expect(await pathOf()).toBe(null);
    expect(await page.locator('#fact-latent').textContent()).toBe(
      '100 numbers, normally distributed',
    );
    await arc.uncheck();
    expect([await pathOf(), (await shown(page)).path]).toEqual(['linear', 'linear']);
    await arc.check();
    expect([await pathOf(), (await shown(page)).path]).toEqual([null, undefined]);
    await page.waitForLoadState('networkidle');
  });
});

describe('the other generator', () => {
  it('is one click away, with the same view, and back again', async () => {
    const page = await open('/#name=Ada&from=Ada');
    expect(await askedFor(page)).toEqual([pins.lite]);
    await page.locator('#name').getByRole('combobox').waitFor();
    const [lite, article] = ['lite', 'article'].map((name) =>
      listOn(page).getByRole('link', { name }),
    );
    expect(await lite!.getAttribute('aria-current')).toBe('page');
    await page.getByRole('button', { name: 'Any two' }).click();
    const { from } = await shown(page);
    await article!.click();
    await page.waitForURL(/\?model=article#/);
    expect(await shown(page)).toMatchObject({ name: 'Ada', from });
    await page.locator('#fact-image:text("64 × 64")').waitFor();
    expect(await askedFor(page)).toEqual([pins.article]);
    // Only the first is class-conditional.
    expect(await page.locator('#name').getByRole('combobox').count()).toBe(0);
    await lite!.click();
    await page.locator('#fact-image:text("128 × 128")').waitFor();
    expect(new URL(page.url()).search).toBe('');
  });

  it('is asked for no picture of the first one', async () => {
    const asked: string[] = [];
    const page = await open('/');
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${explorer.origin}/?model=article`);
    await page.locator('#fact-image:text("64 × 64")').waitFor();
    await page.getByRole('link', { name: '/model' }).waitFor();
    const pictures = asked.filter((address) => /\/(img|morph|mix)\?/.test(address));
    expect(pictures.length).toBeGreaterThan(0);
    expect(pictures.filter((address) => pinIn(address) !== pins.article)).toEqual([]);
    expect(await page.getByRole('link', { name: '/model' }).getAttribute('href')).toBe(
      `v/${pins.article}/model`,
    );
    // Each picture has one address, whether the markup or the script has asked for it.
    expect(pictures.filter((address) => address.includes('seed=you'))).toHaveLength(1);
  });

  it('renders here too, with the bytes of the server', async () => {
    const page = await open('/?model=article');
    await keepFiles(page);
    await page.getByLabel('Make them here').check();
    await page.getByText('Made here by wasm').waitFor();
    await page.getByRole('textbox', { name: 'Any text is a name' }).fill('Ada');
    const picture = page.locator('#name-image[src^="blob:"]');
    await picture.waitFor();
    const made = await haveBytesOf(page, { 'name-image': 'img?seed=Ada&model=article' });
    expect(made).toEqual({ 'name-image': true });
  });

  it('is shown without scripts too', async () => {
    const page = await open('/?model=article', { javaScriptEnabled: false });
    expect(await page.locator('#name-code').textContent()).toContain(
      `src="/v/${pins.article}/img?seed=you"`,
    );
    await page.getByRole('textbox', { name: 'Any text is a name' }).fill('Ada');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.waitForURL(`${explorer.origin}/v/${pins.article}/img?seed=Ada`);
  });
});
