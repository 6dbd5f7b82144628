/**
 * Frames of an animated PNG (https://www.w3.org/TR/png-3/#apng-frame-based-animation): sharp reads the default
 * image alone, and fast-png places frames otherwise than the standard.
 *
 * @module
 */
import { crc32 } from 'node:zlib';
import sharp from 'sharp';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** `fcTL` and `fdAT` begin with it. */
const SEQUENCE_NUMBER = 4;

/** What becomes of a frame's region before the next one, and how a frame is laid on what is there. */
const DISPOSE = { none: 0, background: 1, previous: 2 } as const;
const BLEND_SOURCE = 0;

interface Chunk {
  type: string;
  data: Buffer;
}

interface Frame {
  width: number;
  height: number;
  x: number;
  y: number;
  dispose: number;
  blend: number;
  /** Compressed, as in IDAT. */
  data: Buffer[];
}

/** How many frames a PNG declares; 1 of one that is not animated. */
export function countPngFrames(bytes: Uint8Array): number {
  for (const { type, data } of chunksOf(bytes)) {
    if (type === 'acTL' && data.length >= 4) return Math.max(1, data.readUInt32BE(0));
    if (type === 'IDAT') break;
  }
  return 1;
}

/**
 * Each frame as it is shown: RGBA of the whole canvas, rows from the top.
 * @param canvas its size in pixels
 * @throws Error when the file is cut short or its frames are not whole.
 */
export async function decodeApngFrames(
  bytes: Uint8Array,
  canvas: { width: number; height: number },
): Promise<Uint8Array[]> {
  const { shared, header, frames } = framesOf(bytes);
  if (frames.length !== countPngFrames(bytes)) throw new Error('frames are missing');
  let shown = new Uint8Array(canvas.width * canvas.height * 4);
  const decoded: Uint8Array[] = [];
  for (const frame of frames) {
    const { width, height, x, y } = frame;
    if (x + width > canvas.width || y + height > canvas.height) {
      throw new Error('a frame lies outside of the image');
    }
    const pixels = await sharp(asPng(frame, header, shared), { failOn: 'error' })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer();
    const before = shown.slice();
    lay(shown, pixels, frame, canvas.width);
    decoded.push(shown.slice());
    if (frame.dispose === DISPOSE.previous) shown = before;
    if (frame.dispose === DISPOSE.background) clear(shown, frame, canvas.width);
  }
  return decoded;
}

function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = SIGNATURE.length;
  while (at + 12 <= file.length) {
    const end = at + 8 + file.readUInt32BE(at);
    if (end + 4 > file.length) return;
    yield { type: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, end) };
    at = end + 4;
  }
}

/** The frames, and the chunks before them that say how all are coded (palette, transparency, gamma). */
function framesOf(bytes: Uint8Array): { header: Buffer; shared: Chunk[]; frames: Frame[] } {
  let header: Buffer = Buffer.alloc(0);
  const shared: Chunk[] = [];
  const frames: Frame[] = [];
  for (const { type, data } of chunksOf(bytes)) {
    if (type === 'IHDR') header = data;
    else if (type === 'fcTL') frames.push(readControl(data));
    else if (type === 'IDAT') frames.at(-1)?.data.push(data);
    else if (type === 'fdAT') frames.at(-1)?.data.push(data.subarray(SEQUENCE_NUMBER));
    else if (frames.every((frame) => frame.data.length === 0) && type !== 'acTL') {
      shared.push({ type, data });
    }
  }
  return { header, shared, frames };
}

function readControl(data: Buffer): Frame {
  const number = (at: number) => data.readUInt32BE(at);
  return {
    width: number(4),
    height: number(8),
    x: number(12),
    y: number(16),
    dispose: data.readUInt8(24),
    blend: data.readUInt8(25),
    data: [],
  };
}

/** A frame as a PNG of its own. */
function asPng({ width, height, data }: Frame, header: Buffer, shared: readonly Chunk[]): Buffer {
  const own = Buffer.from(header);
  own.writeUInt32BE(width, 0);
  own.writeUInt32BE(height, 4);
  const chunks = [
    { type: 'IHDR', data: own },
    ...shared,
    { type: 'IDAT', data: Buffer.concat(data) },
    { type: 'IEND', data: Buffer.alloc(0) },
  ];
  return Buffer.concat([SIGNATURE, ...chunks.flatMap(writeChunk)]);
}

function writeChunk({ type, data }: Chunk): Buffer[] {
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  checksum.writeUInt32BE(crc32(body));
  return [length, body, checksum];
}

/** Lays a frame on the canvas: over what is there, or in its place. */
function lay(canvas: Uint8Array, pixels: Buffer, frame: Frame, canvasWidth: number): void {
  for (const [from, to] of pixelsOf(frame, canvasWidth)) {
    const alpha = pixels[from + 3]! / 255;
    const under = canvas[to + 3]! / 255;
    if (frame.blend === BLEND_SOURCE || alpha === 1 || under === 0) {
      canvas.set(pixels.subarray(from, from + 4), to);
      continue;
    }
    const both = alpha + under * (1 - alpha);
    for (let channel = 0; channel < 3; channel++) {
      const sum = pixels[from + channel]! * alpha + canvas[to + channel]! * under * (1 - alpha);
      canvas[to + channel] = Math.round(sum / (both || 1));
    }
    canvas[to + 3] = Math.round(both * 255);
  }
}

function clear(canvas: Uint8Array, frame: Frame, canvasWidth: number): void {
  for (const [, to] of pixelsOf(frame, canvasWidth)) canvas.fill(0, to, to + 4);
}

/** Where each pixel of a frame lies in the frame and on the canvas. */
function* pixelsOf({ width, height, x, y }: Frame, canvasWidth: number) {
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const to = (y + row) * canvasWidth + x + column;
      yield [(row * width + column) * 4, to * 4] as const;
    }
  }
}
