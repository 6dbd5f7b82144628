/**
 * What the tests of pages share: windows that are looked after, and looks that are taken of them.
 *
 * @module
 */
import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect } from 'vitest';
import { type Explorer, type Visit, visit } from './chromium.ts';

declare global {
  /** What the page has made itself, by its address (see keepFiles). */
  var files: Map<string, Blob>;
}

/** Pages of an explorer, one for each test, which is closed after it. */
export interface Pages {
  open(path?: string, options?: BrowserContextOptions): Promise<Page>;
  /** That of the page which was opened last. */
  visit(): Visit;
}

/** To be called once in a file of tests; whatever a test does, nothing may go wrong behind its back. */
export function pagesOf(explorer: () => Explorer): Pages {
  let opened: Visit | undefined;

  afterEach(async () => {
    const faults = opened?.faults ?? [];
    await opened?.page.close();
    opened = undefined;
    expect(faults).toEqual([]);
  });

  return {
    async open(path, options) {
      opened = await visit(explorer(), path, options);
      return opened.page;
    },
    visit: () => opened!,
  };
}

/** What the address says after `#`. */
export const shown = async (page: Page) =>
  Object.fromEntries(new URLSearchParams((await page.evaluate(() => location.hash)).slice(1)));

/** What axe finds, each with the markup that it is about. */
export async function axeFinds(page: Page): Promise<string[][]> {
  await page.evaluate(axe.source); // not as a script element: the policy would refuse it
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(),
  );
  return violations.map(({ id, nodes }) => [id, ...nodes.map((node) => node.html)]);
}

/** Nothing of the page has moved, it is as wide as its window, and axe finds nothing. */
export async function expectToStandStill(
  { page, layoutShift }: Visit,
  { width }: { width: number },
): Promise<void> {
  // A fifth of what counts as good: a busy machine may paint before all of the markup is read.
  expect(await layoutShift()).toBeLessThan(0.02);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  expect(await axeFinds(page)).toEqual([]);
}

/** The picture of a tag, as another page would show it. */
export const pictureOfTag = (page: Page, tag: string) =>
  page.evaluate(async (html) => {
    const { body } = new DOMParser().parseFromString(html, 'text/html');
    const image = document.importNode(body.querySelector('img')!, true);
    await image.decode();
    const { src, naturalWidth: width, naturalHeight: height } = image;
    return { elements: body.childElementCount, src, width, height };
  }, tag);

/** The policy of the page does not let a test read its files by their addresses. */
export const keepFiles = (page: Page) =>
  page.evaluate(() => {
    globalThis.files = new Map();
    const give = URL.createObjectURL;
    URL.createObjectURL = (file) => {
      const address = give(file);
      if (file instanceof Blob) files.set(address, file);
      return address;
    };
  });

/** The pin in an address of the page's pictures: `/v/<pin>/img`. */
export const pinIn = (address: string): string | undefined =>
  /\bv\/([0-9a-f]{16})\//.exec(address)?.[1];

/** An address of the page's pictures without its pin. @throws Error when it is not pinned. */
export function withoutPin(address: string): string {
  const pin = pinIn(address);
  if (pin === undefined) throw new Error(`${address} is not pinned`);
  return address.replace(`v/${pin}/`, '');
}

/** Whether the files that images show (by their ids) have the bytes that the server has at addresses. */
export const haveBytesOf = (page: Page, made: Readonly<Record<string, string>>) =>
  page.evaluate(async (addresses) => {
    const read = async (body: Blob | Response) => new Uint8Array(await body.arrayBuffer()).join();
    const pictures = Object.entries(addresses).map(async ([id, address]) => {
      const { src } = document.getElementById(id) as HTMLImageElement;
      return [id, (await read(files.get(src)!)) === (await read(await fetch(address)))] as const;
    });
    return Object.fromEntries(await Promise.all(pictures));
  }, made);
