import sharp from 'sharp';
import { expect, it } from 'vitest';
import { noPause } from '../images/pause.ts';
import { webpEncoder } from '../images/webp.ts';
import { compileWebpBinary } from '../runtimes/disk.ts';
import { CONTENT_TYPES, encode } from './encode.ts';

/** One colour, so that lossy formats keep it too. */
const orange = {
  width: 16,
  height: 8,
  channels: 3 as const,
  data: Uint8Array.from({ length: 16 * 8 * 3 }, (_, i) => [255, 128, 0][i % 3]!),
};

const tools = {
  pause: noPause,
  encodeWebp: webpEncoder(compileWebpBinary),
  metadata: undefined,
};

it.each(['png', 'webp'] as const)(
  'a picture becomes a file that libvips reads: %s',
  async (format) => {
    const bytes = await encode({ format, compose: ([picture]) => picture! }, [orange], tools);
    const image = sharp(bytes);
    expect(await image.metadata()).toMatchObject({ format, width: 16, height: 8 });
    const [red, green, blue] = await image.raw().toBuffer();
    expect(Math.abs(red! - 255) + Math.abs(green! - 128) + blue!).toBeLessThan(
      format === 'png' ? 1 : 12,
    );
  },
);

it('each format has its content type', () => {
  expect(CONTENT_TYPES).toEqual({
    ...{ png: 'image/png', webp: 'image/webp', apng: 'image/apng', gif: 'image/gif' },
    json: 'application/json',
  });
});
