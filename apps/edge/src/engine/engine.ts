/**
 * The generator in a Web Worker of the page: the same code as the server's, so the same pixels.
 * scripts/build-engine.ts bundles it to engine.js.
 *
 * @module
 */
import { mix, seedToLatent } from '@killme/model';
import { openGenerator } from '../generator.ts';

/** A point of the pad: `middle + across · x + down · y`, kept inside the cube of latents. */
export interface PadPoint {
  middle: string;
  across: string;
  down: string;
  /** −1 … 1 */
  x: number;
  y: number;
}

/** What the engine answers: one picture as RGBA and how long it took, or why there is none. */
export type PadAnswer =
  | { width: number; height: number; pixels: Uint8ClampedArray<ArrayBuffer>; durationMs: number }
  | { problem: string };

const generator = openGenerator({
  readFile: async (name) => new Uint8Array(await read(`generator/${name}`)),
  loadBinary: async () => WebAssembly.compile(await read('engine.wasm')),
});

addEventListener('message', async ({ data }: MessageEvent<PadPoint>) => {
  const answer = await draw(data).catch((error: unknown): PadAnswer => ({ problem: `${error}` }));
  postMessage(answer);
});

async function draw({ middle, across, down, x, y }: PadPoint): Promise<PadAnswer> {
  const { draw, latentSpace } = await generator;
  const part = (seed: string, share: number) =>
    seedToLatent(seed, latentSpace).map((value) => value * share);
  const plus = [part(middle, 1), part(across, x), part(down, y)];
  const startMs = performance.now();
  const { width, height, data } = draw(mix({ plus, minus: [] }));
  const durationMs = performance.now() - startMs;
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) pixels.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  return { width, height, pixels, durationMs };
}

/** Addresses are relative to the worker's own, which lies beside the page. */
async function read(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} is not there (${response.status})`);
  return response.arrayBuffer();
}
