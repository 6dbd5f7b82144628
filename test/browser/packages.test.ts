/**
 * The packages as others get them: packed, installed into an empty folder, used by the examples.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../packages/client/src/index.ts';
import { expectServer, type Server, startDeno, writeRandomGenerator } from '../servers.ts';
import { launchChromium } from './launch.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules/.bin');
const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

let folder: string;
let tarballs: string[];
let generator: Awaited<ReturnType<typeof writeRandomGenerator>>;
let server: Server;
let site: HttpServer;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killme-packages-'));
  tarballs = await Promise.all(['client', 'generator'].map(pack));
  for (const example of ['html', 'react', 'discord']) await installExample(example);
  generator = await writeRandomGenerator();
  server = expectServer(await startDeno(generator.folder));
  site = await serveExamples();
  browser = await launchChromium();
}, 300_000);

afterAll(async () => {
  await browser?.close();
  site?.close();
  await server?.stop();
  await generator?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** `npm pack`, which builds if it may run scripts (.npmrc says no). @returns the tarball's path. */
async function pack(name: string): Promise<string> {
  const args = [
    'pack',
    '--silent',
    '--ignore-scripts=false',
    '-w',
    `@killme/${name}`,
    '--pack-destination',
    folder,
  ];
  const { stdout } = await run('npm', args, { cwd: ROOT });
  return join(folder, stdout.trim().split('\n').at(-1)!);
}

async function installExample(name: string): Promise<void> {
  const target = join(folder, name);
  await cp(join(ROOT, 'examples', name), target, { recursive: true });
  const { dependencies } = JSON.parse(await readFile(join(target, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const wanted = tarballs.filter((path) =>
    Object.keys(dependencies).some((dependency) =>
      path.includes(dependency.slice(1).replace('/', '-')),
    ),
  );
  // React is the workspace's; ours come from the tarballs alone.
  await run('npm', [
    'install',
    '--silent',
    '--no-save',
    '--offline',
    '--legacy-peer-deps',
    '--prefix',
    join(target, 'ours'),
    ...wanted,
  ]);
  await symlink(join(target, 'ours/node_modules'), join(target, 'node_modules'));
}

async function serveExamples(): Promise<HttpServer> {
  const http = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    try {
      const bytes = await readFile(join(folder, pathname));
      const type = CONTENT_TYPES[extname(pathname)] ?? 'application/octet-stream';
      response.writeHead(200, { 'Content-Type': type }).end(
        // The one thing that a reader of the examples changes.
        type === 'text/html' ? `${bytes}`.replace('http://localhost:8787', server.origin) : bytes,
      );
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  return http;
}

async function openExample(path: string): Promise<Page> {
  const address = site.address();
  if (address === null || typeof address === 'string') throw new Error('the site has no port');
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${address.port}/${path}`);
  return page;
}

const png = async (path: string) =>
  Buffer.from(await (await fetch(`${server.origin}${path}`)).arrayBuffer());

describe('the packed packages', () => {
  it('have no fault that publint or @arethetypeswrong/cli finds', async () => {
    for (const tarball of tarballs) {
      await run(join(BIN, 'publint'), ['--strict', tarball]);
      await run(join(BIN, 'attw'), [
        tarball,
        '--profile',
        'esm-only',
        '--exclude-entrypoints',
        'kernels.wasm',
        'tfjs.wasm',
      ]);
    }
  });

  it.each(['node', 'deno'])('render in %s what the server sends', async (runtime) => {
    const script = `
      import { loadGenerator } from '@killme/generator';
      const generator = await loadGenerator('${server.origin}/generator');
      console.log(Buffer.from(await generator.png('alice')).toString('base64'));`;
    const cwd = join(folder, 'html');
    const { stdout } =
      runtime === 'node'
        ? await run(process.execPath, ['--input-type=module', '--eval', script], {
            cwd,
            maxBuffer: 2 ** 24,
          })
        : await run(join(BIN, 'deno'), ['eval', `import { Buffer } from 'node:buffer';${script}`], {
            cwd,
            maxBuffer: 2 ** 24,
          });
    expect(Buffer.from(stdout.trim(), 'base64').equals(await png('/img?seed=alice'))).toBe(true);
  });

  it('show the same picture twice in the example of plain HTML', async () => {
    const page = await openExample('html/index.html');
    await page.waitForFunction(() => {
      const element = document.querySelector('killme-img');
      const images = [element?.shadowRoot?.querySelector('img'), document.querySelector('img')];
      return images.every((image) => image?.complete && image.naturalWidth > 0);
    });
    const [served, here] = await page.evaluate(async () => {
      const images = [
        document.querySelector('killme-img')!.shadowRoot!.querySelector('img')!,
        document.querySelector<HTMLImageElement>('#here')!,
      ];
      return Promise.all(
        images.map(async ({ src }) => [...new Uint8Array(await (await fetch(src)).arrayBuffer())]),
      );
    });
    expect(here).toEqual(served);
    expect(Buffer.from(here!).equals(await png('/img?seed=alice'))).toBe(true);
  });

  it('show three pictures in the example of React', async () => {
    await run(
      join(BIN, 'esbuild'),
      ['main.jsx', '--bundle', '--format=esm', '--jsx=automatic', '--outfile=main.js'],
      {
        cwd: join(folder, 'react'),
        env: { ...process.env, NODE_PATH: join(ROOT, 'node_modules') },
      },
    );
    const page = await openExample('react/index.html');
    await page.waitForFunction(() => {
      const images = [...document.images];
      return (
        images.length === 3 &&
        images.every(({ complete, naturalWidth }) => complete && naturalWidth === 96)
      );
    });
    expect(
      await page
        .locator('img')
        .evaluateAll((images) => images.map((image) => image.getAttribute('src'))),
    ).toEqual(
      ['alice', 'bob', '%E3%81%82%E3%81%8E%E3%82%8A'].map(
        (seed) => `${server.origin}/img?seed=${seed}&size=96`,
      ),
    );
  });

  it('give a Discord bot addresses that the server answers', async () => {
    const { stdout } = await run(process.execPath, ['message.js', server.origin, 'alice'], {
      cwd: join(folder, 'discord'),
    });
    const { embeds } = JSON.parse(stdout) as {
      embeds: [{ author: { icon_url: string }; image: { url: string } }];
    };
    const [{ author, image }] = embeds;
    for (const [address, type] of [
      [author.icon_url, 'image/png'],
      [image.url, 'image/gif'],
    ] as const) {
      const response = await fetch(address);
      expect([response.status, response.headers.get('Content-Type')]).toEqual([200, type]);
      await response.body?.cancel();
    }
  });
});

describe('the client', () => {
  it('writes only what the server knows: every option of every route', async () => {
    const killme = createClient(server.origin);
    const common = { size: 64, download: true } as const;
    const move = [{ direction: 'direction-1', strength: -1.5 }];
    for (const address of [
      killme.img('a,b\\', { ...common, format: 'webp', move }),
      killme.morph('a', 'b', {
        ...common,
        steps: 3,
        via: ['c,d', 'e'],
        path: 'slerp',
        loop: true,
        format: 'json',
      }),
      killme.morph('a', 'b', { steps: 2, space: 'pixel', format: 'apng' }),
      killme.grid('a', { ...common, n: 2 }),
      killme.mix({ plus: ['a,b', 'c'], minus: ['d'] }, { ...common, format: 'png' }),
      killme.og('a', { format: 'webp', download: true }),
    ]) {
      const response = await fetch(address);
      expect([address, response.status]).toEqual([address, 200]);
      await response.body?.cancel();
    }
    expect((await killme.model()).image).toMatchObject({ width: 128, height: 128 });
  });

  it('pins addresses to the generator that the server has now', async () => {
    const { pin } = await createClient(server.origin).model();
    const pinned = createClient(server.origin, { pin });
    expect(pinned.img('alice', { size: 64 })).toBe(
      `${server.origin}/v/${pin}/img?seed=alice&size=64`,
    );
    const response = await fetch(pinned.img('alice'));
    expect(response.headers.get('Cache-Control')).toContain('immutable');
    expect(Buffer.from(await response.arrayBuffer()).equals(await png('/img?seed=alice'))).toBe(
      true,
    );
    expect((await pinned.model()).pin).toBe(pin);
    expect(() => createClient(server.origin, { pin: 'latest' })).toThrow('latest is no pin');
  });

  it('refuses an answer of another server', async () => {
    const address = site.address();
    if (address === null || typeof address === 'string') throw new Error('the site has no port');
    await expect(createClient(`http://127.0.0.1:${address.port}`).model()).rejects.toThrow(
      /does not describe its generator \(404\)/,
    );
  });
});

describe('a loaded generator', () => {
  it('refuses a latent of another length, and a class that it does not have', async () => {
    const script = `
      import { loadGenerator } from '@killme/generator';
      const generator = await loadGenerator('${server.origin}/generator/');
      for (const mistake of [
        () => generator.render(new Float32Array(3)),
        () => generator.latent('a', { class: 'raven' }),
      ]) {
        try {
          mistake();
        } catch (error) {
          console.log(error.message);
        }
      }`;
    const cwd = join(folder, 'html');
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd,
    });
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'a latent has 100 numbers, not 3',
      'the generator has no class "raven", only: none',
    ]);
  });
});
