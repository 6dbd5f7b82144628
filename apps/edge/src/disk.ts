/**
 * What the app needs, read from disk: for Deno and Node.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { readGeneratorManifest, UserError } from '@killme/model';
import type { AppOptions } from './app.ts';
import type { WasmBinaries } from './backend.ts';
import { openGallery } from './gallery.ts';
import { openGenerator } from './generator.ts';

/** Gives the files of a folder by name. */
export function folderReader(
  folder: string | URL,
): (name: string) => Promise<Uint8Array<ArrayBuffer>> {
  return async (name) => {
    const path = folder instanceof URL ? new URL(name, folder) : `${folder}/${name}`;
    try {
      return new Uint8Array(await readFile(path));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
      const shown = path instanceof URL ? path.pathname : path;
      throw new UserError(`${shown} ${why}`);
    }
  };
}

/** Where scripts/build-page.ts puts the files of the page. */
export const PAGE_FOLDER = new URL('../dist/page/', import.meta.url);

/**
 * The app's options for a generator on disk.
 * @param galleryFolder of a gallery of that generator, to answer `/img` from.
 */
export function diskOptions(generatorFolder: string, galleryFolder?: string): AppOptions {
  const readFile = folderReader(generatorFolder);
  return {
    describeGenerator: () => readGeneratorManifest(readFile),
    loadGenerator: () => openGenerator({ readFile, loadBinaries: compileBinaries }),
    loadWebpBinary: compileWebpBinary,
    readGenerator: readFile,
    openGallery:
      galleryFolder === undefined
        ? undefined
        : (generator) => openGallery(folderReader(galleryFolder), generator),
    readPage: folderReader(PAGE_FOLDER),
  };
}

const TFJS_BINARY = '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
const KERNELS = '@killme/model/kernels.wasm';
const WEBP_BINARY = '@jsquash/webp/codec/enc/webp_enc.wasm';

/** What draws, compiled. */
export async function compileBinaries(): Promise<WasmBinaries> {
  const [tfjs, kernels] = await Promise.all(
    [TFJS_BINARY, KERNELS].map((name) => compile(import.meta.resolve(name))),
  );
  return { tfjs: tfjs!, kernels: kernels! };
}

/** libwebp's wasm binary, compiled. */
export const compileWebpBinary = () => compile(import.meta.resolve(WEBP_BINARY));

async function compile(address: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL(address)));
}
