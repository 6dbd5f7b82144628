/**
 * What the package gives to others. Nothing here is imported, so that its types stand alone.
 *
 * @module
 */

/** Rows from the top, pixels from the left, `channels` bytes each. */
export interface Picture {
  width: number;
  height: number;
  /** Grey, RGB or RGBA. */
  channels: 1 | 3 | 4;
  data: Uint8Array;
}

/** The wasm that renders, compiled. */
export interface WasmModules {
  /** `@killme/generator/tfjs.wasm` */
  tfjs: WebAssembly.Module;
  /** `@killme/generator/kernels.wasm` */
  kernels: WebAssembly.Module;
}

export interface LoadOptions {
  /** For runtimes that cannot compile wasm from bytes, as Workers: import both files as modules. */
  modules?: WasmModules;
}

/** Gives the bytes of a file of the generator folder by name, as `generator.json`. */
export type ReadFile = (name: string) => Promise<Uint8Array<ArrayBuffer>>;

/** A generator, ready. The same file and seed give the same bytes in every runtime. */
export interface Generator {
  /** Names the generator file and all its weights. */
  readonly hash: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Numbers in a latent. */
  readonly latentSize: number;
  /** Classes that {@link Generator.latent} takes; empty when the generator is not class-conditional. */
  readonly classes: readonly string[];
  /**
   * The latent of a seed, as the server has it.
   * @param seed any text
   * @throws Error for a class that the generator does not have.
   */
  latent(seed: string, options?: { class?: string }): Float32Array;
  /** Latents on the way between two, both included. */
  walk(from: Float32Array, to: Float32Array, steps: number): Float32Array[];
  /** The picture of a seed or of a latent. */
  render(from: string | Float32Array): Picture;
  /**
   * The picture as a PNG file; of a seed, the bytes that the server sends for it.
   * @param options.metadata `none` leaves out what the file says of its seed, generator, licence and credit.
   */
  png(
    from: string | Float32Array,
    options?: { metadata?: 'all' | 'none' },
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Loads a generator file.
 * @param from the address of its folder, or what reads its files
 * @throws Error in one line when a file is missing, damaged, or no generator.
 * @example
 * const generator = await loadGenerator('https://example.com/generator/');
 * const { width, height, data } = generator.render('alice');
 */
export type LoadGenerator = (
  from: string | URL | ReadFile,
  options?: LoadOptions,
) => Promise<Generator>;
