import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeRandomGenerator } from '../servers.ts';
import { DESK, type Explorer, PHONE, startExplorer } from './chromium.ts';
import {
  expectToStandStill,
  haveBytesOf,
  keepFiles,
  pagesOf,
  pictureOfTag,
  shown,
} from './page-tests.ts';

const SHOTS = fileURLToPath(new URL('../dist/page', import.meta.url));

/** Classes of the generator, and training images of each. */
const CLASSES = { raven: 3, '"><b>hair, long & unlike any other': 2, キルミーベイベー: 1 };
const [RAVEN, HAIR] = Object.keys(CLASSES) as [string, string];

/** Parts that have pictures of characters, by their ids. */
const PARTS = ['name', 'wall', 'walk', 'sums', 'pad', 'directions'];

vi.setConfig({ testTimeout: 60_000 });

let generator: Awaited<ReturnType<typeof writeRandomGenerator>>;
let explorer: Explorer;

beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true });
  generator = await writeRandomGenerator({ classes: CLASSES });
  explorer = await startExplorer({ generators: generator.folder });
}, 120_000);

afterAll(async () => {
  await explorer?.stop();
  await generator?.remove();
}, 30_000);

const { open, visit } = pagesOf(() => explorer);

const choiceIn = (page: Page, part: string) =>
  page.locator(`#${part}`).getByRole('combobox', { name: 'Class of all characters' });

/** The class that each picture of the page is asked for, but for the tab's icon. */
const askedFor = (page: Page) =>
  page.evaluate(() => [
    ...new Set([...document.images].map(({ src }) => new URL(src).searchParams.get('class'))),
  ]);

describe.each([
  { name: 'light', options: DESK, colorScheme: 'light' },
  { name: 'phone-dark', options: PHONE, colorScheme: 'dark' },
] as const)('the page of a class-conditional generator, $name', (look) => {
  it('stands still, fits, and axe finds nothing', async () => {
    const page = await open(`/#${new URLSearchParams({ class: HAIR })}`, look.options);
    await page.emulateMedia({ colorScheme: look.colorScheme });
    await choiceIn(page, 'directions').waitFor();
    await expectToStandStill(visit(), look.options.viewport);
    await page.screenshot({ path: `${SHOTS}/classes-${look.name}.png`, fullPage: true });
  });
});

describe('a class', () => {
  it('is chosen by keyboard in one part, for all of them, and goes back', async () => {
    const page = await open();
    expect(await askedFor(page)).toEqual([null]);
    await choiceIn(page, 'wall').focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => askedFor(page)).toEqual([RAVEN]);
    expect(await shown(page)).toEqual({ class: RAVEN, part: 'wall' });
    for (const part of PARTS) {
      expect(await choiceIn(page, part).inputValue()).toBe(RAVEN);
    }
    await page.getByAltText('The character of “you”, raven').first().waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    expect(await askedFor(page)).toEqual([RAVEN]);
    await page.goBack();
    await page.goBack();
    await expect.poll(() => askedFor(page)).toEqual([null]);
    expect(await choiceIn(page, 'name').inputValue()).toBe('');
    expect(await shown(page)).toEqual({});
  });

  it('is shared, and is in the tag that is copied', async () => {
    const path = `/#${new URLSearchParams({ name: 'Ada', class: HAIR, part: 'name' })}`;
    const page = await open(path, PHONE);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await choiceIn(page, 'name').waitFor();
    expect(await choiceIn(page, 'name').inputValue()).toBe(HAIR);
    await expect.poll(() => askedFor(page)).toEqual([HAIR]);
    await page.locator('#name').getByRole('button', { name: 'Copy the tag' }).tap();
    await page.getByText('The tag is copied.').waitFor();
    const tag = await page.evaluate(() => navigator.clipboard.readText());
    const { src, width } = await pictureOfTag(page, tag);
    expect(Object.fromEntries(new URL(src).searchParams)).toEqual({ seed: 'Ada', class: HAIR });
    expect(width).toBe(128);
    expect(await page.locator('b').count()).toBe(3); // those of the sum: no name is markup
  });

  it('that there is not is asked for nowhere', async () => {
    const page = await open('/#class=Raven');
    await choiceIn(page, 'name').waitFor();
    expect(await choiceIn(page, 'name').inputValue()).toBe('');
    expect(await askedFor(page)).toEqual([null]);
  });

  it('is that of pictures made here too, with the bytes of the server', async () => {
    const page = await open(`/#${new URLSearchParams({ class: RAVEN })}`);
    await keepFiles(page);
    await page.getByLabel('Make them here').check();
    await page.getByText('Made here by wasm').waitFor();
    await choiceIn(page, 'pad').selectOption(HAIR);
    const query = new URLSearchParams({ class: HAIR });
    const made = {
      'name-image': `img?seed=you&${query}`,
      'walk-strip': `morph?from=alice&to=bob&steps=16&${query}`,
      'sum-image': `mix?plus=alice,carol&minus=bob&${query}`,
    };
    await page.waitForFunction(
      (ids) =>
        ids
          .map((id) => document.getElementById(id) as HTMLImageElement)
          .every(({ src, complete }) => src.startsWith('blob:') && complete),
      Object.keys(made),
    );
    const same = Object.values(await haveBytesOf(page, made));
    expect(same).toEqual([true, true, true]);
  });

  it('is that of every place on the pad', async () => {
    const place = new URLSearchParams({ middle: 'zoe', across: 'p', down: 'q', x: '-100' });
    const page = await open(`/#${place}&class=${RAVEN}&part=pad`);
    await page.getByText(/^Made here in/).waitFor();
    const isSum = () =>
      page.evaluate(async (address) => {
        const answer = new Image();
        answer.src = address;
        await answer.decode();
        const [server, here] = [answer, document.querySelector<HTMLCanvasElement>('#pad-picture')!];
        const [one, other] = [server, here].map((picture) => {
          const context = new OffscreenCanvas(128, 128).getContext('2d')!;
          context.drawImage(picture, 0, 0);
          return context.getImageData(0, 0, 128, 128).data.join();
        });
        return one === other;
      }, `mix?plus=zoe&minus=p&class=${RAVEN}`);
    await expect.poll(isSum).toBe(true);
  });
});
