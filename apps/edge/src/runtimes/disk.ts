/**
 * What the app needs, read from disk: for Deno and Node.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorCode, explainFileError } from '@killme/command-line';
import {
  GENERATOR_MANIFEST,
  type ReadShard,
  readGeneratorManifest,
  UserError,
} from '@killme/model';
import type { AppOptions } from '../app.ts';
import type { WasmBinaries } from '../generator/backend.ts';
import { openGallery } from '../generator/gallery.ts';
import { type AnyGenerator, openGenerator } from '../generator/generator.ts';
import { checkRenders, type GeneratorSource, sayWhich } from '../generator/registry.ts';
import { type Downloads, limitDownloads } from './downloads.ts';
import { type OpenFile, openFile } from './file-stream.ts';
import { withSmallMemory } from './initial-memory.ts';
import type { NamedFolder } from './named-folder.ts';

/** Gives the files of a folder by name. */
export function folderReader(
  folder: string | URL,
): (name: string) => Promise<Uint8Array<ArrayBuffer>> {
  return async (name) => {
    const path = folder instanceof URL ? new URL(name, folder) : `${folder}/${name}`;
    try {
      return new Uint8Array(await readFile(path));
    } catch (error) {
      throw unreadable(path, error);
    }
  };
}

/** Streams the files of a folder by name. */
export function folderStreamer(folder: string): ReadShard {
  return async (name, take) => {
    const path = `${folder}/${name}`;
    const hash = createHash('sha256');
    try {
      for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
        hash.update(piece);
        take(piece);
      }
    } catch (error) {
      throw unreadable(path, error);
    }
    return hash.digest();
  };
}

/** Clients are told neither where it lies nor what the person here can do. */
function unreadable(path: string | URL, error: unknown): UserError {
  const text = path instanceof URL ? path.pathname : path;
  const code = errorCode(error);
  const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
  const explained = code === 'ENOENT' ? undefined : explainFileError(error, text, 'read');
  const line = explained instanceof UserError ? explained.message : `${text} ${why}`;
  return new UserError(line, `${basename(text)} ${why}`);
}

/** Where scripts/build-page.ts puts the files of the page. */
export const PAGE_FOLDER = new URL('../../dist/page/', import.meta.url);

/**
 * The app's options for generators on disk.
 * @param generators those that are kept for their pinned addresses last
 * @param loaded the generators in their order, where another thread has loaded them and renders.
 */
export function diskOptions(
  generators: readonly NamedFolder[],
  loaded: readonly AnyGenerator[] = [],
): AppOptions {
  const downloads = limitDownloads();
  return {
    listGenerators: async () =>
      generators.map((generator, i) => diskSource(generator, { loaded: loaded[i], downloads })),
    loadWebpBinary: compileWebpBinary,
    readPage: folderReader(PAGE_FOLDER),
  };
}

/**
 * Sources whose generators and galleries are loaded, so that a mistake is reported to the one who
 * starts the server. What is described is what was loaded, whatever happens to the folder meanwhile.
 */
export async function loadAll(
  listGenerators: AppOptions['listGenerators'],
): Promise<(GeneratorSource & { generator: AnyGenerator })[]> {
  return Promise.all(
    sayWhich(await listGenerators()).map(async (source) => {
      const generator = await source.load();
      await source.openGallery?.(generator);
      const given = async () => generator;
      return { ...source, generator, load: given, describe: given };
    }),
  );
}

function diskSource(
  { name, folder, kept, gallery }: NamedFolder,
  { loaded, downloads }: { loaded: AnyGenerator | undefined; downloads: Downloads },
): GeneratorSource {
  const readFile = folderReader(folder);
  const readShard = folderStreamer(folder);
  const files = versionedFiles(folder, downloads);
  return {
    name,
    kept,
    describe: () => readGeneratorManifest(readFile),
    async load() {
      const generator =
        loaded ?? (await openGenerator({ readFile, readShard, loadBinaries: compileBinaries }));
      const shards = generator.manifest.shards.map(({ file }) => file);
      if (!loaded) await checkRenders(generator);
      await files.remember([GENERATOR_MANIFEST, ...shards]);
      return generator;
    },
    openFile: files.open,
    openGallery:
      gallery === undefined
        ? undefined
        : (generator) => openGallery(folderReader(gallery), generator, { kept }),
  };
}

/** Files of a folder that are sent as long as they are those that were loaded. */
function versionedFiles(folder: string, downloads: Downloads) {
  const versions = new Map<string, string>();
  const openIn = async (name: string) => {
    const path = `${folder}/${name}`;
    try {
      return await openFile(path);
    } catch (error) {
      throw unreadable(path, error);
    }
  };
  const openLoaded = async (name: string): Promise<OpenFile> => {
    const file = await openIn(name);
    if (file.version === (versions.get(name) ?? file.version)) return file;
    await file.close();
    // Weights of another generator must not go out under the name of the one that renders.
    throw new UserError(`${name} has changed since the server was started: start it again`);
  };
  return {
    async remember(names: readonly string[]) {
      for (const name of names) {
        const file = await openIn(name);
        versions.set(name, file.version);
        await file.close();
      }
    },
    async open(name: string) {
      const end = downloads.begin();
      try {
        return (await openLoaded(name)).stream(end);
      } catch (error) {
        end();
        throw error;
      }
    },
  };
}

/** Of the packages, to be resolved. */
export const TFJS_BINARY = '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
export const KERNELS_BINARY = '@killme/model/kernels.wasm';
export const WEBP_BINARY = '@jsquash/webp/codec/enc/webp_enc.wasm';

/** What renders, compiled. */
export async function compileBinaries(): Promise<WasmBinaries> {
  const [tfjs, kernels] = await Promise.all([
    compileSmall(TFJS_BINARY),
    readBinary(KERNELS_BINARY).then((bytes) => WebAssembly.compile(bytes)),
  ]);
  return { tfjs, kernels };
}

/** libwebp's wasm binary, compiled. */
export const compileWebpBinary = () => compileSmall(WEBP_BINARY);

const compileSmall = async (name: string) => WebAssembly.compile(await readSmall(name));

/** A binary that begins with little memory. @param name of a package's file, to be resolved. */
export const readSmall = async (name: string) => withSmallMemory(await readBinary(name));

const readBinary = (name: string) => readFile(new URL(import.meta.resolve(name)));
