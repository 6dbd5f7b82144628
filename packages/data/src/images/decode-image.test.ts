import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { RED } from '../testing/files.ts';
import { decodeImage as decode } from './decode-image.ts';
import { endIdleDecoders } from './decode-process.ts';

const decodeImage = async (bytes: Uint8Array, size: number) =>
  (await decode(bytes, { size })).frames[0]!;

const raw = (pixels: number[], width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(Uint8Array.from(pixels), { raw: { width, height, channels } });

const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) % 251);
const noisePng = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
  .png()
  .toBuffer();

afterAll(endIdleDecoders);

describe('decodeImage', () => {
  it('keeps an image that has the right size exactly as it is', async () => {
    expect(await decodeImage(noisePng, 64)).toEqual(Buffer.from(noise));
  });

  it('gives rows from the top, red before green before blue', async () => {
    const pixels = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7];
    const decoded = await decodeImage(await raw(pixels, 2, 2, 3).png().toBuffer(), 2);
    expect([...decoded]).toEqual(pixels);
  });

  it('cuts the square from the middle', async () => {
    const row = [255, 0, 0, 0, 255, 0, 0, 0, 255];
    const decoded = await decodeImage(await raw(row, 3, 1, 3).png().toBuffer(), 1);
    expect([...decoded]).toEqual([0, 255, 0]);
  });

  it('resizes up and down', async () => {
    expect(await decodeImage(RED, 128)).toHaveLength(128 * 128 * 3);
    expect([...(await decodeImage(RED, 2))]).toEqual([255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0]);
  });

  it('lays transparency over white', async () => {
    const clear = await raw([0, 0, 0, 0], 1, 1, 4).png().toBuffer();
    const half = await raw([255, 0, 0, 128], 1, 1, 4).png().toBuffer();
    expect([...(await decodeImage(clear, 1))]).toEqual([255, 255, 255]);
    expect([...(await decodeImage(half, 1))]).toEqual([255, 127, 127]);
  });

  it('turns grey, with and without alpha, into RGB', async () => {
    const grey = await raw([77], 1, 1, 1).toColourspace('b-w').png().toBuffer();
    const clear = await raw([77, 0], 1, 1, 2).toColourspace('b-w').png().toBuffer();
    expect([...(await decodeImage(grey, 1))]).toEqual([77, 77, 77]);
    expect([...(await decodeImage(clear, 1))]).toEqual([255, 255, 255]);
  });

  it('reads 16 bits a channel, and a palette', async () => {
    const deep = await sharp(RED).toColourspace('rgb16').png().toBuffer();
    const palette = await sharp(RED).png({ palette: true }).toBuffer();
    expect([...(await decodeImage(deep, 1))]).toEqual([255, 0, 0]);
    expect([...(await decodeImage(palette, 1))]).toEqual([255, 0, 0]);
  });

  it('turns a photo upright by its EXIF tag', async () => {
    const leftRedRightBlue = await raw([255, 0, 0, 0, 0, 255], 2, 1, 3)
      .resize(64, 64, { kernel: 'nearest', fit: 'fill' })
      .jpeg({ chromaSubsampling: '4:4:4' })
      .withMetadata({ orientation: 6 }) // a quarter turn clockwise
      .toBuffer();
    const decoded = await decodeImage(leftRedRightBlue, 64);
    const [top, bottom] = [decoded.subarray(0, 3), decoded.subarray(-3)];
    expect(top[0]).toBeGreaterThan(250);
    expect(bottom[2]).toBeGreaterThan(250);
  });

  it.each(['jpeg', 'webp', 'avif', 'gif', 'tiff'] as const)('reads %s', async (format) => {
    const [red, green, blue] = await decodeImage(await sharp(RED).toFormat(format).toBuffer(), 4);
    expect(red).toBeGreaterThan(250);
    expect(green).toBeLessThan(5);
    expect(blue).toBeLessThan(5);
  });

  // 2 × 2 pixels of red, green, blue and #090807: the BMPs and the TIFF by Pillow 12, the JPEG XL
  // by libjxl; the icon is Pillow's blue of 4 × 4.
  const CORNERS = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7];
  const BMP_24 =
    'Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAADEDgAAxA4AAAAAAAAAAAAA/wAABwgJAAAAAP8A/wAAAA==';
  const BMP_PALETTE =
    'Qk1OAAAAAAAAAEYAAAAoAAAAAgAAAAIAAAABAAgAAAAAAAgAAADEDgAAxA4AAAQAAAAEAAAAAP8AAAcICQAAAP8A/wAAAAMBAAACAAAA';
  const JPEG_XL = '/woIELASCAgQAGwASxiLFcIRbFxg1wFE9P/WSOxP24z+7X89APoD';
  const ICO =
    'AAABAAEABAQAAAAAIABoAAAAFgAAACgAAAAEAAAACAAAAAEAIAAAAAAAQAAAAMQOAADEDgAAAAAAAAAAAAD/AAD//wAA//8AAP//AAD//wAA//8AAP//AAD//wAA//8AAP//AAD//wAA//8AAP//AAD//wAA//8AAP//AAD/';
  const FLOAT_TIFF =
    'SUkqAAgAAAAKAAABBAABAAAAAgAAAAEBBAABAAAAAgAAAAIBAwABAAAAIAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAhgAAABYBBAABAAAAAgAAABcBBAABAAAAEAAAABwBAwABAAAAAQAAAFMBAwABAAAAAwAAAAAAAAAAAAAAAACAPgAAAD8AAIA/';

  it.each([
    ['BMP of 24 bits', BMP_24],
    ['BMP with a palette', BMP_PALETTE],
    ['JPEG XL', JPEG_XL],
  ])('reads a %s', async (_, base64) => {
    expect([...(await decodeImage(Buffer.from(base64, 'base64'), 2))]).toEqual(CORNERS);
  });

  it('reads the largest picture of an ICO', async () => {
    const decoded = await decodeImage(Buffer.from(ICO, 'base64'), 1);
    expect([...decoded]).toEqual([0, 0, 255]);
  });

  // Of the kinds that are rare: BMPs with 3 × 3 indices, written by hand and rendered alike by Pillow 12.
  const INDEXED = [...Buffer.from('ff000000ff000000ff0908070000ff00ff0000ff00ff0000090807', 'hex')];
  const BMP_4 =
    'Qk1SAAAAAAAAAEYAAAAoAAAAAwAAAAMAAAABAAQAAAAAAAwAAAATCwAAEwsAAAQAAAAAAAAAAAD/AAD/AAD/AAAABwgJABAwAAAyEAAAASAAAA==';
  const BMP_RLE =
    'Qk1eAAAAAAAAAEYAAAAoAAAAAwAAAAMAAAABAAgAAQAAABgAAAATCwAAEwsAAAQAAAAAAAAAAAD/AAD/AAD/AAAABwgJAAADAQADAAAAAQMBAgEBAAABAAEBAQIAAQ==';
  // Of OS/2, with a header of 12 bytes: red, and green beside it, which the crop keeps.
  const BMP_CORE = 'Qk0iAAAAAAAAABoAAAAMAAAAAgABAAEAGAAAAP8A/wAAAA==';

  it.each([
    ['4 bits and an odd width', BMP_4, 3, INDEXED],
    ['run lengths', BMP_RLE, 3, INDEXED],
    ['the header of OS/2', BMP_CORE, 1, [0, 255, 0]],
  ])('reads a BMP with %s', async (_, base64, size, pixels) => {
    expect([...(await decodeImage(Buffer.from(base64, 'base64'), size))]).toEqual(pixels);
  });

  it('takes no TGA, which begins like an icon, for a damaged one', async () => {
    const tga = Buffer.from('\0\0\x02\0\0\0\0\0\0\0\0\0\x01\0\x01\0\x18\0\x01\x02\x03', 'latin1');
    await expect(decodeImage(tga, 8)).rejects.toThrow(
      'its content is not an image that can be read',
    );
  });

  it.each(['heic', 'mif1'])(
    'says what to do with an iPhone’s HEIC, of the brand %s',
    async (brand) => {
      const heic = Buffer.from(`\0\0\0\x18ftyp${brand}\0\0\0\0mif1heic`, 'latin1');
      await expect(decodeImage(heic, 8)).rejects.toThrow(
        'HEIC (HEVC) is not read: save it as JPEG or PNG (on an iPhone: Settings, Camera, Formats, Most Compatible)',
      );
    },
  );

  it('refuses pixels that are floating-point numbers instead of reading them as black', async () => {
    await expect(decodeImage(Buffer.from(FLOAT_TIFF, 'base64'), 2)).rejects.toThrow(
      'its pixels are float numbers, whose range no file tells: save it with 8 or 16 bits a channel',
    );
  });

  it('stops an SVG that takes gigabytes', async () => {
    const bomb = `<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="9000">
      <path d="${'M0 0L9000 9000L0 9000L9000 0z'.repeat(60)}" stroke="#f00" stroke-width="9" stroke-dasharray="0.01"/></svg>`;
    await expect(decodeImage(Buffer.from(bomb), 8)).rejects.toThrow(
      /^decoding it takes more than (768 MiB|30 s): it is no honest picture, or save it smaller$/,
    );
  });

  it('renders a small SVG at full sharpness', async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2">
      <rect width="1" height="2" fill="#f00"/><rect x="1" width="1" height="2" fill="#00f"/></svg>`;
    const decoded = await decodeImage(Buffer.from(svg), 64);
    const pixel = (x: number) => [...decoded.subarray(x * 3, x * 3 + 3)];
    expect([pixel(30), pixel(33)]).toEqual([
      [255, 0, 0],
      [0, 0, 255],
    ]);
  });

  it('says that a text file is no image', async () => {
    await expect(decodeImage(Buffer.from('hello'), 8)).rejects.toThrow(
      'its content is not an image that can be read',
    );
  });

  it('says that a file is empty', async () => {
    await expect(decodeImage(new Uint8Array(), 8)).rejects.toThrow('the file is empty (0 bytes)');
  });

  it.each([0.97, 0.5, 0.1])('says that a PNG of which %f is left was cut short', async (part) => {
    const cut = noisePng.subarray(0, Math.floor(noisePng.length * part));
    await expect(decodeImage(cut, 8)).rejects.toThrow(/^damaged or cut short|header is damaged/);
  });

  it('says that a JPEG was cut short', async () => {
    const jpeg = await sharp(noisePng).jpeg().toBuffer();
    await expect(decodeImage(jpeg.subarray(0, jpeg.length / 2), 8)).rejects.toThrow(
      /^damaged or cut short/,
    );
  });

  it('refuses absurd dimensions before it unpacks anything', async () => {
    await expect(decodeImage(declareSize(RED, 60_000, 50_000), 8)).rejects.toThrow(
      'it declares 60000 × 50000 pixels, the limit is 100 million',
    );
  });
});

/** The same PNG with another width and height in its header, whose checksum is right again. */
function declareSize(png: Buffer, width: number, height: number): Buffer {
  const patched = Buffer.from(png);
  patched.writeUInt32BE(width, 16);
  patched.writeUInt32BE(height, 20);
  patched.writeUInt32BE(crc32(patched.subarray(12, 29)), 29);
  return patched;
}
