import createModule from '@jsquash/webp/codec/enc/webp_enc.js';
import { defaultOptions } from '@jsquash/webp/meta.js';
import type { Picture } from '@killme/model';
import { once } from '../once.ts';
import { toRgba } from './channels.ts';

/** Where the blocks of a rendering cannot be distinguished from the PNG at arm's length. */
const QUALITY = 85;

type ModuleFactory = (options: {
  noInitialRun: boolean;
  locateFile(name: string): string;
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
}) => Promise<{
  encode(
    rgba: Uint8Array,
    width: number,
    height: number,
    options: typeof defaultOptions,
  ): Uint8Array | null;
}>;

// The package's types use a global namespace that they do not bring along.
const startModule = createModule as unknown as ModuleFactory;

/** Makes a WebP file of a picture. */
export type EncodeWebp = (picture: Picture) => Promise<Uint8Array<ArrayBuffer>>;

/** @param loadBinary called at the first picture; see {@link startWebp}. */
export function webpEncoder(
  loadBinary: () => WebAssembly.Module | Promise<WebAssembly.Module>,
): EncodeWebp {
  const start = once(async () => startWebp(await loadBinary()));
  return async (picture) => (await start())(picture);
}

/**
 * libwebp, compiled to wasm. Started by hand like tfjs's binary (backend.ts), because workerd does
 * not compile bytes; always the binary without SIMD, which every runtime has.
 * @param binary `@jsquash/webp/codec/enc/webp_enc.wasm`, compiled.
 */
async function startWebp(
  binary: WebAssembly.Module,
): Promise<(picture: Picture) => Uint8Array<ArrayBuffer>> {
  const { encode } = await startModule({
    noInitialRun: true,
    locateFile: (name) => name, // else it asks import.meta for an address, which workerd lacks
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(binary, imports);
      receive(instance);
      return instance.exports;
    },
  });
  return (picture) => {
    const { width, height } = picture;
    const bytes = encode(toRgba(picture), width, height, { ...defaultOptions, quality: QUALITY });
    if (!bytes) throw new Error('libwebp could not encode a picture');
    return new Uint8Array(bytes); // a copy: the bytes lie in wasm's memory
  };
}
