/**
 * Loads a generator file and renders its pictures: the server's own engine and PNG encoder.
 *
 * @module
 */
import { openGenerator } from '@killme/edge/generator';
import { pinnedAddress, pinOf } from '@killme/edge/pin';
import { encodePng } from '@killme/edge/png';
import { placeClasses, seedToLatent, walk } from '@killme/model';
import type { Generator, LoadGenerator, ReadFile, WasmModules } from './types.ts';

export type * from './types.ts';

export const loadGenerator: LoadGenerator = async (source, { modules } = {}) => {
  const readFile = typeof source === 'function' ? source : readFolder(source);
  const loaded = await openGenerator({
    readFile,
    loadBinaries: () => modules ?? compileModules(),
  });
  const { manifest, hash, latentSpace } = loaded;
  const classes = latentSpace.classes ? manifest.classes : [];
  const latent: Generator['latent'] = (seed, options = {}) => {
    const found = seedToLatent(seed, latentSpace);
    if (options.class === undefined) return found;
    const place = classes.indexOf(options.class);
    if (place < 0) {
      throw new Error(
        `the generator has no class "${options.class}", only: ${classes.join(', ') || 'none'}`,
      );
    }
    return placeClasses(found, [place], latentSpace);
  };
  const render: Generator['render'] = (of) =>
    loaded.render(typeof of === 'string' ? latent(of) : checkLength(of, latentSpace.size));
  return {
    hash,
    width: manifest.image.width,
    height: manifest.image.height,
    latentSize: latentSpace.size,
    classes,
    latent,
    walk: (from, to, steps) => walk({ from, to, steps }),
    render,
    png: (of, { metadata = 'all' } = {}) =>
      encodePng(render(of), {
        metadata: metadata === 'none' ? undefined : metadataOf(of, loaded),
      }),
  };
};

/** What the server's file of a seed says; a latent of float32 has no address. */
function metadataOf(of: string | Float32Array, { manifest, hash }: Loaded) {
  const { licence, credit } = manifest;
  const facts = { generator: hash, licence, credit };
  if (typeof of !== 'string') return facts;
  const pin = pinOf({ hash, gallery: undefined });
  const address = pinnedAddress(pin, 'img', { seed: of, format: 'png' });
  return { title: of, address, ...facts };
}

type Loaded = Awaited<ReturnType<typeof openGenerator>>;

function checkLength(latent: Float32Array, size: number): Float32Array {
  if (latent.length === size) return latent;
  throw new Error(`a latent has ${size} numbers, not ${latent.length}`);
}

function readFolder(address: string | URL): ReadFile {
  const folder = String(address).replace(/\/?$/, '/');
  return async (name) => {
    const response = await fetch(folder + name);
    if (!response.ok) throw new Error(`${folder}${name} cannot be had (${response.status})`);
    return new Uint8Array(await response.arrayBuffer());
  };
}

/** The wasm files lie beside this one; bundlers see them by `new URL(…, import.meta.url)`. */
async function compileModules(): Promise<WasmModules> {
  const [tfjs, kernels] = await Promise.all([
    compile(new URL('./tfjs.wasm', import.meta.url)),
    compile(new URL('./kernels.wasm', import.meta.url)),
  ]);
  return { tfjs, kernels };
}

async function compile(file: URL): Promise<WebAssembly.Module> {
  if (file.protocol !== 'file:') {
    const response = await fetch(file);
    if (!response.ok) throw new Error(`${file.href} cannot be had (${response.status})`);
    return WebAssembly.compile(await response.arrayBuffer());
  }
  // Node cannot fetch files; a name that bundlers do not follow.
  const fs: typeof import('node:fs/promises') = await import(/* @vite-ignore */ NODE_FILES);
  return WebAssembly.compile(new Uint8Array(await fs.readFile(file)));
}

const NODE_FILES = ['node', 'fs/promises'].join(':');
