import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DESK, type Explorer, PHONE, startExplorer } from './chromium.ts';
import {
  expectToStandStill,
  haveBytesOf,
  keepFiles,
  pagesOf,
  pictureOfTag,
  shown,
  withoutPin,
} from './page-tests.ts';

const SHOTS = fileURLToPath(new URL('../dist/page', import.meta.url));
const STEPS = 16;

vi.setConfig({ testTimeout: 60_000 });

let explorer: Explorer;

beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true });
  explorer = await startExplorer();
}, 120_000);

afterAll(() => explorer?.stop(), 30_000);

const { open, visit } = pagesOf(() => explorer);

/** Where the windows on the two strips stand: the step that each of them shows. */
const framesOf = (page: Page) =>
  page.evaluate(
    (steps) =>
      ['walk-frame', 'fade-frame'].map((id) => {
        const strip = document.getElementById(id)!.getBoundingClientRect();
        const frame = document.getElementById(id)!.parentElement!.getBoundingClientRect();
        return Math.round(((frame.left - strip.left) / strip.width) * steps * 100) / 100;
      }),
    STEPS,
  );

/** The address of a picture, as the page's own, without its pin; the whole of one that was made here. */
const sourceOf = async (page: Page, selector: string) => {
  const address = (await page.locator(selector).getAttribute('src')) ?? '';
  return address.startsWith('blob:')
    ? address
    : withoutPin(address).replace(`${explorer.origin}/`, '');
};

describe.each([
  { name: 'light', options: DESK, colorScheme: 'light' },
  { name: 'dark', options: DESK, colorScheme: 'dark' },
  { name: 'phone-light', options: PHONE, colorScheme: 'light' },
  { name: 'phone-dark', options: PHONE, colorScheme: 'dark' },
] as const)('the page, $name', ({ name, options, colorScheme }) => {
  it('stands still, fits, and axe finds nothing', async () => {
    const page = await open('/', options);
    await page.emulateMedia({ colorScheme });
    await expectToStandStill(visit(), options.viewport);
    const { unsized, missing } = await page.evaluate(() => ({
      unsized: [...document.images].filter((i) => !i.hasAttribute('width')).map((i) => i.src),
      missing: [...document.images].filter((i) => i.naturalWidth === 0).map((i) => i.src),
    }));
    expect(unsized).toEqual([]);
    expect(missing).toEqual([]);
    await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
  });
});

describe('a name', () => {
  it('becomes a character while it is typed, and goes back', async () => {
    const page = await open();
    const field = page.getByLabel('Any text is a name');
    for (const name of ['Grace', 'Grace Hopper']) {
      await field.fill(name); // and a pause
      await page.getByAltText(`The character of “${name}”`).first().waitFor();
    }
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    expect(await sourceOf(page, '#name-image')).toBe('img?seed=Grace+Hopper');
    expect(await shown(page)).toEqual({ name: 'Grace Hopper', part: 'name' });
    await page.getByRole('button', { name: 'Any other' }).click();
    expect((await shown(page)).name).toMatch(/^[a-z]{6,9}$/);
    await page.goBack();
    expect(await field.inputValue()).toBe('Grace Hopper');
    await page.goBack();
    expect(await sourceOf(page, '#name-image')).toBe('img?seed=you');
  });

  it('is copied as a tag that shows it anywhere', async () => {
    const page = await open();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByLabel('Any text is a name').fill('"><b>キルミー');
    await page.keyboard.press('Enter');
    await page.locator('#name').getByRole('button', { name: 'Copy the tag' }).click();
    await page.getByText('The tag is copied.').waitFor();
    const tag = await page.evaluate(() => navigator.clipboard.readText());
    expect(withoutPin(tag)).toBe(
      `<img src="${explorer.origin}/img?seed=%22%3E%3Cb%3E%E3%82%AD%E3%83%AB%E3%83%9F%E3%83%BC" ` +
        'width="128" height="128" alt="">',
    );
    const { elements, width, height } = await pictureOfTag(page, tag);
    expect([elements, width, height]).toEqual([1, 128, 128]);
  });

  it('never becomes markup', async () => {
    const hostile = '<img src=x onerror=alert(1)>"\'`&amp;,\\';
    const query = new URLSearchParams(
      ['name', 'from', 'to', 'a', 'b', 'c', 'move'].map((key) => [key, hostile]),
    );
    const page = await open(`/#${query}`);
    expect(await page.locator('img').count()).toBe(35);
    expect(await page.locator('#name-code').innerText()).toContain('%3Cimg');
  });
});

describe('the wall', () => {
  it('is picked from by keyboard, and the walk follows', async () => {
    const page = await open();
    const tile = (name: string) => page.getByRole('button', { name, exact: true });
    await tile('heidi').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await shown(page)).toEqual({ from: 'heidi', to: 'ivan', part: 'walk' });
    expect(await page.locator('[aria-pressed=true]').allInnerTexts()).toEqual(['heidi', 'ivan']);
    expect(await sourceOf(page, '#walk-frame')).toBe('morph?from=heidi&to=ivan&steps=16');
    await page.getByText('The walk goes from heidi to ivan.').waitFor();
  });

  it('grows on demand, and a shared wall is the same wall', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Show more' }).click();
    const names = await page.locator('#wall-names span').allInnerTexts();
    expect(new Set(names).size).toBe(48);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(names[24]);
    const address = await page.evaluate(() => location.hash);
    await page.close();
    const again = await open(`/${address}`);
    expect(await again.locator('#wall-names span').allInnerTexts()).toEqual(names);
  });
});

describe('the walk', () => {
  it('moves both pictures with the slider, by keyboard', async () => {
    const page = await open();
    const slider = page.getByLabel('Step of the walk');
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await framesOf(page)).toEqual([0, 0]);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await framesOf(page)).toEqual([2, 2]);
    expect(await slider.getAttribute('aria-valuetext')).toBe('step 3 of 16');
    await page.keyboard.press('End');
    expect(await framesOf(page)).toEqual([15, 15]);
    expect(await shown(page)).toEqual({ step: '15', part: 'walk' });
  });

  it('plays without asking the server for anything', async () => {
    const page = await open();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.getByRole('button', { name: 'Play' }).click();
    const seen = new Set<number>();
    await expect
      .poll(async () => seen.add((await framesOf(page))[0]!).size, { timeout: 5000, interval: 30 })
      .toBeGreaterThan(5);
    await page.getByRole('button', { name: 'Pause' }).click();
    const [walked, faded] = await framesOf(page);
    expect(walked).toBe(faded);
    expect(requests.filter((path) => !path.endsWith('/img'))).toEqual([]); // the tab's icon is asked for again
    expect((await shown(page)).step ?? '7').toBe(String(walked));
  });

  it('goes between any two names, back, and along an arc', async () => {
    const page = await open();
    await page.getByLabel('From').fill('Ada');
    await page.getByLabel('To', { exact: true }).fill('Charles');
    await page.getByRole('button', { name: 'Swap' }).click();
    await page.getByLabel('along an arc').check();
    const walked = 'morph?from=Charles&to=Ada&steps=16';
    expect(await sourceOf(page, '#walk-strip')).toBe(`${walked}&path=slerp`);
    expect(await sourceOf(page, '#fade-strip')).toBe(`${walked}&space=pixel`);
    await page.getByRole('button', { name: 'Any two' }).click();
    expect(await page.getByLabel('From').inputValue()).not.toBe('Charles');
    await page.waitForLoadState('networkidle');
  });

  it('follows a finger on the strip', async () => {
    const page = await open('/', PHONE);
    const strip = page.locator('#walk-strip');
    const { width, height } = (await strip.boundingBox())!;
    await strip.tap({ position: { x: (width * 12.5) / STEPS, y: height / 2 } });
    expect(await framesOf(page)).toEqual([12, 12]);
    const fade = page.locator('#fade-strip');
    await fade.tap({ position: { x: (width * 3.5) / STEPS, y: height / 2 } });
    expect(await framesOf(page)).toEqual([3, 3]);
  });
});

describe('sums', () => {
  it('adds and takes away, by latents and by pixels', async () => {
    const page = await open();
    await page.getByLabel('First name').fill('dave');
    await page.getByLabel('Name that is taken away').fill('b,c');
    await page.getByLabel('Name that is added').fill('zoe');
    await page.keyboard.press('Tab');
    await page.waitForLoadState('networkidle');
    const source = (await sourceOf(page, '#sum-image'))!;
    expect(Object.fromEntries(new URL(source, page.url()).searchParams)).toEqual({
      plus: 'dave,zoe',
      minus: 'b\\,c',
    });
    const isSumOfPixels = () =>
      page.evaluate(async () => {
        const read = async (id: string) => {
          const source = document.getElementById(id) as HTMLImageElement | HTMLCanvasElement;
          if (source instanceof HTMLImageElement) await source.decode();
          const context = new OffscreenCanvas(128, 128).getContext('2d')!;
          context.drawImage(source, 0, 0);
          return context.getImageData(0, 0, 128, 128).data;
        };
        const [a, b, c] = await Promise.all(
          ['sum-a-image', 'sum-b-image', 'sum-c-image'].map((id) => read(id)),
        );
        const sum = Uint8ClampedArray.from(a!, (level, i) => level - b![i]! + c![i]!);
        return (await read('sum-pixels')).join() === sum.join();
      });
    // It is drawn once all three have been decoded.
    await expect.poll(isSumOfPixels).toBe(true);
    await page.getByRole('button', { name: 'Any three' }).click();
    await page.waitForLoadState('networkidle');
  });
});

describe('the pad', () => {
  /** Whether the picture that was made in the page has the pixels of the server's at `address`. */
  const isPictureOf = (page: Page, address: string) =>
    page.evaluate(async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const read = (picture: CanvasImageSource) => {
        const context = new OffscreenCanvas(128, 128).getContext('2d')!;
        context.drawImage(picture, 0, 0);
        return context.getImageData(0, 0, 128, 128).data.join();
      };
      return read(document.querySelector<HTMLCanvasElement>('#pad-picture')!) === read(image);
    }, address);

  it('renders here, pixel for pixel, what the server renders', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Make them here' }).click();
    await page.getByText(/^Made here in \d+ ms$/).waitFor();
    expect(await isPictureOf(page, 'img?seed=yuki')).toBe(true);
    // In the corners the whole of both directions is added or taken away, as /mix can do too.
    await page.getByLabel('Across').focus();
    await page.keyboard.press('End');
    await page.getByLabel('Down').focus();
    await page.keyboard.press('Home');
    const corner = new URLSearchParams({ plus: 'yuki,left to right', minus: 'top to bottom' });
    await expect.poll(() => isPictureOf(page, `mix?${corner}`)).toBe(true);
    expect(await shown(page)).toEqual({ x: '100', y: '-100', part: 'pad' });
  });

  it('follows the mouse without asking the server for pictures', async () => {
    const page = await open();
    const surface = page.locator('#pad-surface');
    await surface.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await surface.boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.getByText(/^Made here in/).waitFor();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.mouse.move(x + width * 0.75, y + height * 0.25, { steps: 5 });
    await page.mouse.move(x + width * 2, y + height * 0.25, { steps: 2 });
    await page.mouse.up();
    expect(await shown(page)).toEqual({ x: '100', y: '-50', part: 'pad' });
    expect(requests.filter((path) => !path.endsWith('/img'))).toEqual([]); // the tab's icon
    await expect
      .poll(() => page.locator('#pad-picture').getAttribute('aria-label'))
      .toBe('“yuki”, 100 % of “left to right” and -50 % of “top to bottom” added');
  });

  it('opens where it was shared, and follows a finger', async () => {
    const page = await open('/#middle=zoe&across=p&down=q&x=100&y=0&part=pad', PHONE);
    await page.getByText(/^Made here in/).waitFor();
    await expect.poll(() => isPictureOf(page, 'mix?plus=zoe,p')).toBe(true);
    const { width, height } = (await page.locator('#pad-surface').boundingBox())!;
    await page.locator('#pad-surface').tap({ position: { x: width * 0.25, y: height * 0.5 } });
    expect(await shown(page)).toEqual({
      middle: 'zoe',
      across: 'p',
      down: 'q',
      x: '-50',
      part: 'pad',
    });
    await page.getByRole('button', { name: 'Other directions' }).tap();
    expect((await shown(page)).middle).not.toBe('zoe');
  });
});

describe('the sliders', () => {
  const slider = (page: Page, name: string) => page.getByRole('slider', { name, exact: true });

  /** Whether two pictures have the same pixels. */
  const areSame = (page: Page, ...selectors: [string, string]) =>
    page.evaluate(async (pair) => {
      const [one, other] = await Promise.all(
        pair.map(async (selector) => {
          const picture = document.querySelector<HTMLImageElement>(selector)!;
          await picture.decode();
          const context = new OffscreenCanvas(128, 128).getContext('2d')!;
          context.drawImage(picture, 0, 0);
          return context.getImageData(0, 0, 128, 128).data.join();
        }),
      );
      return one === other;
    }, selectors);

  it('move a name by keyboard, are shared, and go back to 0', async () => {
    let page = await open('/#name=zoe');
    await slider(page, 'direction-1').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await slider(page, 'hazel').focus();
    await page.keyboard.press('Home');
    const moved = 'img?seed=zoe&move=direction-1%3A0.5%2Chazel%3A-4';
    await expect.poll(() => sourceOf(page, '#directions-image')).toBe(moved);
    expect(await shown(page)).toEqual({
      name: 'zoe',
      move: 'direction-1:0.5,hazel:-4',
      part: 'directions',
    });
    await page
      .getByAltText('The character of “zoe”, +0.5 along direction-1, −4 along hazel')
      .waitFor();
    expect(await areSame(page, '#name-image', '#directions-image')).toBe(false);

    const address = await page.evaluate(() => location.hash);
    await page.close();
    page = await open(`/${address}`);
    expect(await sourceOf(page, '#directions-image')).toBe(moved);
    expect(await slider(page, 'direction-1').inputValue()).toBe('0.5');
    expect(await slider(page, 'hazel').inputValue()).toBe('-4');
    await expect
      .poll(() =>
        page.evaluate(() => document.getElementById('directions')!.getBoundingClientRect().top),
      )
      .toBeLessThan(60);
    expect(await visit().layoutShift()).toBeLessThan(0.02);

    await page.getByRole('button', { name: 'All to 0' }).click();
    await expect.poll(() => sourceOf(page, '#directions-image')).toBe('img?seed=zoe');
    expect(await areSame(page, '#name-image', '#directions-image')).toBe(true);
    expect(await shown(page)).toEqual({ name: 'zoe', part: 'directions' });
    await page.goBack();
    await expect.poll(() => sourceOf(page, '#directions-image')).toBe(moved);
    expect(await slider(page, 'hazel').inputValue()).toBe('-4');
  });

  it('all move at once, and the tag of that shows it anywhere', async () => {
    const page = await open('/', PHONE);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByLabel('Name to move').fill('Ada & Charles');
    const ranges = await page.locator('#directions').getByRole('slider').all();
    const { directions } = await (await page.request.get(`${explorer.origin}/model`)).json();
    expect(ranges.length).toBe(directions.length);
    for (const range of ranges) await range.fill('-0.75');
    await page.locator('#directions').getByRole('button', { name: 'Copy the tag' }).tap();
    await page.getByText('The tag is copied.').waitFor();
    const tag = await page.evaluate(() => navigator.clipboard.readText());
    const { src, width } = await pictureOfTag(page, tag);
    expect(width).toBe(128);
    const { seed, move } = Object.fromEntries(new URL(src).searchParams);
    expect(seed).toBe('Ada & Charles');
    expect(move!.split(',').length).toBe(ranges.length);
    await expect.poll(() => page.locator('#directions-image').getAttribute('src')).toBe(src);
  });

  it('ask for one picture at a time, and skip what is passed meanwhile', async () => {
    const page = await open();
    const asked: (string | null)[] = [];
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route(/&move=/, async (route) => {
      asked.push(new URL(route.request().url()).searchParams.get('move'));
      await held;
      await route.continue();
    });
    await slider(page, 'direction-3').focus();
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowLeft');
    await expect.poll(() => asked).toEqual(['direction-3:-0.25']);
    answer();
    await expect.poll(() => asked).toEqual(['direction-3:-0.25', 'direction-3:-2']);
    await page.getByAltText('−2 along direction-3').waitFor();
    expect(await areSame(page, '#name-image', '#directions-image')).toBe(false);
    expect(asked.length).toBe(2);
  });

  it('are not there where the generator has no directions', async () => {
    const page = await open();
    await page.route('**/model', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), directions: [] } });
    });
    await page.reload();
    await page.locator('#fact-preset:not(:text("…"))').waitFor();
    expect(await page.locator('#directions').isVisible()).toBe(false);
    expect(await page.getByRole('link', { name: 'Sliders' }).count()).toBe(0);
    expect(await page.locator('#directions').getByRole('slider').count()).toBe(0);
  });
});

describe('the switch', () => {
  it('makes all parts here, with the bytes of the server', async () => {
    const page = await open();
    await keepFiles(page);
    await page.getByLabel('Make them here').check();
    await page.getByText('Made here by wasm').waitFor();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.getByLabel('Any text is a name').fill('Ada, the first');
    await page.getByLabel('First name').fill('zoe');
    await page.getByLabel('along an arc').check();
    await page.getByRole('slider', { name: 'direction-2' }).fill('-3.25');
    await page.getByRole('button', { name: 'Show more' }).click();
    const made = {
      'name-image': 'img?seed=Ada%2C+the+first',
      'directions-image': 'img?seed=Ada%2C+the+first&move=direction-2%3A-3.25',
      'walk-frame': 'morph?from=alice&to=bob&steps=16&path=slerp',
      'walk-strip': 'morph?from=alice&to=bob&steps=16&path=slerp',
      'sum-a-image': 'img?seed=zoe',
      'sum-image': 'mix?plus=zoe%2Ccarol&minus=bob',
    };
    await page.waitForFunction(
      (ids) =>
        [
          ...ids.map((id) => document.getElementById(id) as HTMLImageElement),
          ...[...document.querySelectorAll<HTMLImageElement>('#wall-names img')].slice(24),
        ].every(({ src, complete }) => src.startsWith('blob:') && complete),
      Object.keys(made),
    );
    const rendered = requests.filter((url) => /^http.*\/(img|morph|mix)\?/.test(url));
    expect(rendered.filter((url) => !url.endsWith('/img?seed=alice'))).toEqual([]); // the tab's icon
    const same = await haveBytesOf(page, made);
    expect(same).toEqual(Object.fromEntries(Object.keys(made).map((id) => [id, true])));
    expect(await page.locator('#here-time').innerText()).toMatch(/^\d+ ms a picture$/);

    await page.getByLabel('Make them here').uncheck();
    await page.getByLabel('Any text is a name').fill('Grace');
    await expect.poll(() => sourceOf(page, '#name-image')).toBe('img?seed=Grace');
    await page.getByText('The server makes the pictures.').waitFor();
  });

  it('goes back, and says why, where the engine cannot run', async () => {
    const page = await open();
    await page.route('**/generator/*', (route) => route.abort());
    await page.getByLabel('Make them here').check();
    await page.getByText(/^That does not work here: /).waitFor();
    expect(await page.getByLabel('Make them here').isChecked()).toBe(false);
    await page.getByLabel('Any text is a name').fill('Grace');
    await expect.poll(() => sourceOf(page, '#name-image')).toBe('img?seed=Grace');
    visit().faults.length = 0; // the generator that was refused
  });

  it('renders with WebGPU too, in float32 what wasm rounds: at most three levels beside it', {
    timeout: 240_000,
  }, async (test) => {
    const page = await open();
    const adapter = await page.evaluate(
      async () => (await navigator.gpu?.requestAdapter()) ?? null,
    );
    if (adapter === null) {
      visit().faults.length = 0; // Chromium says so too
      test.skip('this Chromium has no WebGPU adapter, nor SwiftShader to stand in for one');
    }
    await page.getByLabel('with WebGPU').check();
    await page.getByText('Made here by WebGPU').waitFor({ timeout: 120_000 });
    await page.getByText(/^Made here in/).waitFor({ timeout: 200_000 });
    const levels = await page.evaluate(async () => {
      const server = document.getElementById('pad-middle') as HTMLImageElement;
      const here = document.getElementById('pad-picture') as HTMLCanvasElement;
      const [a, b] = [server, here].map((picture) => {
        const context = new OffscreenCanvas(128, 128).getContext('2d')!;
        context.drawImage(picture, 0, 0);
        return context.getImageData(0, 0, 128, 128).data;
      });
      const counts = [0, 0, 0, 0, 0];
      a!.forEach((level, i) => {
        counts[Math.min(4, Math.abs(level - b![i]!))]!++;
      });
      return counts;
    });
    expect(levels[4]).toBe(0);
    // One in twenty is a level off by the rounding of activations (docs/serving-figures.md).
    expect(levels[0]).toBeGreaterThan(0.85 * 128 * 128 * 4);
  });
});

describe('an address', () => {
  it('opens the view that was shared, at its part', async () => {
    const page = await open('/#from=carol&to=zoe&step=3&path=slerp&part=walk&a=x&name=Ada');
    expect(await sourceOf(page, '#walk-strip')).toBe('morph?from=carol&to=zoe&steps=16&path=slerp');
    expect(await framesOf(page)).toEqual([3, 3]);
    expect(await page.getByLabel('First name').inputValue()).toBe('x');
    await expect
      .poll(() => page.evaluate(() => document.getElementById('walk')!.getBoundingClientRect().top))
      .toBeLessThan(60);
  });

  it.each([
    'step=99999999&wall=-1&path=x&part=nowhere',
    '%',
    'from=&to=%FF',
    `from=${'é'.repeat(999)}`,
    'move=nobody:1,direction-1:x,direction-2:99,hazel,:,&part=directions',
  ])('that makes no sense does no harm: %s', async (hash) => {
    const page = await open(`/#${hash}`);
    await page.getByRole('heading', { name: 'Adding and subtracting' }).waitFor();
  });

  it('survives the links to the parts', async () => {
    const page = await open('/#from=carol', PHONE);
    await page.getByRole('link', { name: 'Sums' }).tap();
    expect(await shown(page)).toEqual({ from: 'carol', part: 'sums' });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('sums-title');
  });
});

describe('the foot of the page', () => {
  it('names whom pictures have to name, and their licence', async () => {
    const page = await open();
    await page.getByText(/^Pictures: Remix of "Adventurer".* by Lisa Wischofsky/).waitFor();
    const licence = page.getByRole('link', { name: 'CC-BY-4.0' });
    expect(await licence.getAttribute('href')).toBe('https://creativecommons.org/licenses/by/4.0/');
  });
});

describe('without', () => {
  it('scripts: what the server has written is read, and the form works', async () => {
    const page = await open('/', { ...DESK, javaScriptEnabled: false });
    await page.getByLabel('Any text is a name').fill('Ada');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/v\/[0-9a-f]{16}\/img\?seed=Ada$/);
  });

  it('pictures: their words stand in their place', async () => {
    const page = await open();
    const heights = () =>
      page.evaluate(() =>
        [...document.images].map((image) => image.getBoundingClientRect().height),
      );
    const before = await heights();
    await page.route(/\/(img|morph|mix)\?/, (route) => route.abort());
    await page.reload();
    await page.locator('#fact-preset:not(:text("…"))').waitFor();
    expect(await heights()).toEqual(before);
    for (const part of ['#name', '#directions']) {
      const picture = page.locator(part).getByRole('img', { name: 'The character of “you”' });
      expect(await picture.isVisible()).toBe(true);
    }
    await page.screenshot({ path: `${SHOTS}/no-pictures.png`, fullPage: true });
    visit().faults.length = 0; // the pictures that were refused
  });
});

it('loads no more than 100 kB of script', async () => {
  const page = await open();
  const bytes = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.endsWith('.js'))
      .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).decodedBodySize, 0),
  );
  expect(bytes).toBeGreaterThan(1000);
  expect(bytes).toBeLessThan(100_000);
});
