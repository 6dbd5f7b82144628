/**
 * The page in a real Chromium, served by workerd with the shipped generator, as `npm start` does.
 *
 * @module
 */
import { SHIPPED_GENERATORS } from '@killme/edge';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expectServer, startWorkerd } from '../servers.ts';
import { launchChromium } from './launch.ts';

/** Chromium's own software adapter, for machines without a GPU; pages get none else. */
const WEBGPU_IN_SOFTWARE = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** Phone and desk, as wide as people's are. */
export const PHONE = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
} as const satisfies BrowserContextOptions;
export const DESK = {
  viewport: { width: 1200, height: 900 },
} as const satisfies BrowserContextOptions;

/** A server and a browser. */
export interface Explorer {
  origin: string;
  /** Windows with these options; those with the same ones share a cache, as one person's do. */
  windows(options: BrowserContextOptions): Promise<BrowserContext>;
  stop(): Promise<void>;
}

/**
 * @param options.generators that are served, as the command line has them; lite when omitted
 * @param options.port any free one when omitted.
 */
export async function startExplorer({
  generators = SHIPPED_GENERATORS[0]!.folder,
  port,
}: {
  generators?: string | readonly string[];
  port?: number;
} = {}): Promise<Explorer> {
  const browser = await launchChromium({ args: WEBGPU_IN_SOFTWARE });
  try {
    const { origin, stop } = expectServer(await startWorkerd(generators, port));
    return {
      origin,
      windows: keepWindows(browser),
      async stop() {
        await browser.close();
        await stop();
      },
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

function keepWindows(browser: Browser): Explorer['windows'] {
  const kept = new Map<string, Promise<BrowserContext>>();
  return (options) => {
    const key = JSON.stringify(options);
    const windows = kept.get(key) ?? browser.newContext(options);
    kept.set(key, windows);
    return windows;
  };
}

/** A page, and what went wrong on it so far: errors, refused code, failed requests. */
export interface Visit {
  page: Page;
  faults: string[];
  /** The sum of the layout shifts that nobody caused; 0 is still. */
  layoutShift(): Promise<number>;
}

/** Opens the page in a window and waits until its pictures are there. */
export async function visit(
  { origin, windows }: Explorer,
  path = '/',
  options: BrowserContextOptions = DESK,
): Promise<Visit> {
  const page = await (await windows(options)).newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    const { url } = message.location();
    if (url.endsWith('/favicon.ico')) return; // asked for beside a bare picture; there is none
    if (['error', 'warning'].includes(message.type())) faults.push(`${message.text()} ${url}`);
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('response', (response) => {
    if (response.status() >= 400 && !response.url().endsWith('/favicon.ico'))
      faults.push(`${response.status()} ${response.url()}`);
  });
  page.on('dialog', async (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.addInitScript(() => {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
      })[]) {
        if (!entry.hadRecentInput) {
          sessionStorage.shift = Number(sessionStorage.shift ?? 0) + entry.value;
        }
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(origin + path); // waits for the pictures too
  if (options.javaScriptEnabled !== false) {
    await page.locator('#fact-preset:not(:text("…"))').waitFor();
  }
  return {
    page,
    faults,
    layoutShift: () => page.evaluate(() => Number(sessionStorage.shift ?? 0)),
  };
}
