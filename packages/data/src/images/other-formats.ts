/**
 * Formats that sharp does not read: BMP, ICO and JPEG XL.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { decode as decodeBmp } from '@cwasm/nsbmp';
import decodeJxl, { init as initJxl } from '@jsquash/jxl/decode.js';
import { decodeIco } from 'icojs';
import type { CreateRaw } from 'sharp';
import { firstLine, ImageFault, type ImageHeader } from './image.ts';

const BMP_FILE_HEADER_BYTES = 14;
/** A BITMAPCOREHEADER (OS/2) has 12 bytes and 16-bit sizes, all later ones 32-bit sizes. */
const CORE_HEADER_BYTES = 12;

export function isBmp(bytes: Uint8Array): boolean {
  return startsWith(bytes, [0x42, 0x4d]) && bytes.length >= BMP_FILE_HEADER_BYTES + 12;
}

/** Icons (type 1) and cursors (type 2). A TGA begins like one that lists no icon. */
export function isIco(bytes: Uint8Array): boolean {
  const isOfType = startsWith(bytes, [0, 0, 1, 0]) || startsWith(bytes, [0, 0, 2, 0]);
  return isOfType && !startsWith(bytes.subarray(4), [0, 0]);
}

/** A bare codestream, or one in a container. */
export function isJxl(bytes: Uint8Array): boolean {
  return (
    startsWith(bytes, [0xff, 0x0a]) ||
    startsWith(bytes, [0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20, 13, 10, 0x87, 10])
  );
}

export function bmpHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isCore = view.getUint32(BMP_FILE_HEADER_BYTES, true) === CORE_HEADER_BYTES;
  const width = isCore ? view.getUint16(18, true) : Math.abs(view.getInt32(18, true));
  const height = isCore ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  if (width === 0 || height === 0) throw new ImageFault('its header is damaged (no pixels)');
  return { format: 'bmp', width, height, frames: 1, hasAlpha: false, isPlainRaster: false };
}

/** The largest icon's size, as the directory declares it. */
export function icoHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length < 6 ? 0 : view.getUint16(4, true);
  let [width, height] = [0, 0];
  for (let i = 0; i < count && 6 + 16 * (i + 1) <= bytes.length; i++) {
    const [w, h] = [bytes[6 + 16 * i]! || 256, bytes[7 + 16 * i]! || 256]; // 0 means 256
    if (w * h > width * height) [width, height] = [w, h];
  }
  if (width === 0) throw new ImageFault('its header is damaged (no icon is listed)');
  return { format: 'ico', width, height, frames: 1, hasAlpha: true, isPlainRaster: false };
}

/** What sharp takes: the bytes as they are, or decoded pixels with their layout. */
export async function toSharpInput(
  bytes: Uint8Array,
  { format }: ImageHeader,
): Promise<{ input: Uint8Array; raw?: CreateRaw }> {
  try {
    if (format === 'bmp') return rgbaOf(bytes);
    if (format === 'ico') return { input: await largestIcon(bytes) };
    if (format === 'jxl') {
      await jxlReady();
      const { data, width, height } = await decodeJxl(Uint8Array.from(bytes).buffer);
      return { input: Uint8Array.from(data), raw: { width, height, channels: 4 } };
    }
    return { input: bytes };
  } catch (error) {
    throw new ImageFault(`damaged or cut short (${firstLine(error)})`);
  }
}

function rgbaOf(bytes: Uint8Array): { input: Uint8Array; raw: CreateRaw } {
  const { data, width, height } = decodeBmp(bytes);
  return { input: Uint8Array.from(data), raw: { width, height, channels: 4 } };
}

async function largestIcon(bytes: Uint8Array): Promise<Uint8Array> {
  const icons = await decodeIco(Buffer.from(bytes), 'image/png');
  const largest = icons.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));
  return new Uint8Array(largest.buffer);
}

let jxl: Promise<unknown> | undefined;

function jxlReady(): Promise<unknown> {
  jxl ??= readFile(
    createRequire(import.meta.url).resolve('@jsquash/jxl/codec/dec/jxl_dec.wasm'),
  ).then((wasmBinary) => initJxl({ wasmBinary }));
  return jxl;
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((value, i) => bytes[i] === value);
}
