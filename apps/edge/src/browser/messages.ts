/**
 * The messages between the page and its Web Worker.
 *
 * @module
 */

/** A point of the pad: `middle + across · x + down · y`, kept inside the cube of latents, of a class. */
export interface PadPoint {
  middle: string;
  across: string;
  down: string;
  /** −1 … 1 */
  x: number;
  y: number;
  /** What comes of it when omitted. */
  class?: string;
}

/** A request of the page: what the server would answer at an address, or a point of the pad. */
export type WorkerRequest = { id: number } & ({ address: string } | { point: PadPoint });

/** A file as the server would send it. */
export interface MadeFile {
  file: Blob;
  /** Of the generator alone, for one picture; absent when none was rendered for it. */
  pictureMs?: number;
}

/** One picture, as RGBA. */
export interface MadePixels {
  width: number;
  height: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
  pictureMs: number;
}

/** A message of the engine: first whether it can render, then an answer to each request, in any order. */
export type WorkerResponse =
  | { ready: true }
  | { broken: string }
  | ({ id: number } & (MadeFile | MadePixels | { problem: string }));
