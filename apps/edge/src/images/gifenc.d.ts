/** The part of gifenc that encode-gif.ts uses; the package has no types of its own. */
declare module 'gifenc/dist/gifenc.esm.js' {
  type Palette = number[][];
  export function GIFEncoder(): {
    writeFrame(
      indices: Uint8Array,
      width: number,
      height: number,
      options: {
        /** Of the first frame: the palette of all. Of a later one: its own. */
        palette?: Palette;
        delay: number;
        /** -1 plays once, 0 for ever. */
        repeat: number;
      },
    ): void;
    finish(): void;
    bytes(): Uint8Array<ArrayBuffer>;
  };
  /** @param rgba four bytes a pixel. */
  export function quantize(rgba: Uint8Array, colours: number): Palette;
  export function applyPalette(rgba: Uint8Array, palette: Palette): Uint8Array;
}
