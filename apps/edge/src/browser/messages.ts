/**
 * What the page and its Web Worker say to each other.
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
  /** What comes of it when left out. */
  class?: string;
}

/** What the page wants: what the server would answer at an address, or a point of the pad. */
export type Order = { id: number } & ({ address: string } | { point: PadPoint });

/** A file as the server would send it. */
export interface MadeFile {
  file: Blob;
  /** Of the generator alone, for one picture; absent when none was drawn for it. */
  pictureMs?: number;
}

/** One picture, as RGBA. */
export interface MadePixels {
  width: number;
  height: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
  pictureMs: number;
}

/** What the engine says: first whether it can draw, then an answer to each order, in any order. */
export type Said =
  | { ready: true }
  | { broken: string }
  | ({ id: number } & (MadeFile | MadePixels | { problem: string }));
