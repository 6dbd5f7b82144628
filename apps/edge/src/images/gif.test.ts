import { createRandom, type Picture } from '@killme/model';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { encodeGif } from './gif.ts';

/** Frames of noise, or of as few levels as are asked for. */
function frames(count: number, { channels = 3, levels = 256, side = 40 } = {}): Picture[] {
  return Array.from({ length: count }, (_, i) => ({
    width: side,
    height: side / 2,
    channels: channels as Picture['channels'],
    data: Uint8Array.from(
      createRandom(`frame ${i}`).uniform((channels * side * side) / 2),
      (value) => Math.floor(((value + 1) / 2) * levels) * (255 / levels),
    ),
  }));
}

/** What libvips sees: the frames one below the other, RGBA. */
const decode = (gif: Uint8Array) =>
  sharp(gif, { animated: true }).ensureAlpha().raw().toBuffer({ resolveWithObject: true });

const animate = (pictures: Picture[]) =>
  encodeGif({ frames: pictures, frameMs: 100, repeat: true });

describe('a GIF', () => {
  it('has the frames, their time and their repetition', async () => {
    const gif = await animate(frames(3));
    expect(await sharp(gif).metadata()).toMatchObject({
      ...{ format: 'gif', width: 40, height: 20, pages: 3 },
      ...{ loop: 0, delay: [100, 100, 100] },
    });
    const once = await encodeGif({ frames: frames(2), frameMs: 100, repeat: false });
    expect(new TextDecoder('latin1').decode(once)).not.toContain('NETSCAPE');
  });

  it('of few colours is exact', async () => {
    const pictures = frames(2, { levels: 4 }); // 64 colours
    const { data } = await decode(await animate(pictures));
    const shown = data.filter((_, i) => i % 4 !== 3);
    expect([...shown]).toEqual(pictures.flatMap((picture) => [...picture.data]));
  });

  it('of grey pictures is exact, beyond the codes that LZW’s table holds', async () => {
    const [picture] = frames(1, { channels: 1, side: 256 });
    const { data } = await decode(await animate([picture!]));
    expect([...data.filter((_, i) => i % 4 === 0)]).toEqual([...picture!.data]);
  });

  it('of all colours is near: palettes of 256 cannot hold noise better', async () => {
    const pictures = frames(2, { side: 128 });
    const { data } = await decode(await animate(pictures));
    const shown = data.filter((_, i) => i % 4 !== 3);
    const exact = pictures.flatMap((picture) => [...picture.data]);
    const off = shown.reduce((sum, level, i) => sum + Math.abs(level - exact[i]!), 0);
    expect(off / exact.length).toBeLessThan(16); // the side of a cube, 256 of which fill the space, is 40
  });

  it('is transparent where pixels are more so than opaque', async () => {
    const [picture] = frames(1, { channels: 4, levels: 4 });
    const { data } = await decode(await animate([picture!]));
    const alpha = data.filter((_, i) => i % 4 === 3);
    expect([...alpha]).toEqual(
      [...picture!.data.filter((_, i) => i % 4 === 3)].map((level) => (level < 128 ? 0 : 255)),
    );
  });

  it('is coded in slices of 65,536 pixels, and lets others run before each', async () => {
    const pictures = frames(2, { channels: 1, side: 400 }); // 80,000 pixels each
    const pause = vi.fn(async () => undefined);
    const sliced = await encodeGif({ frames: pictures, frameMs: 100, repeat: true }, { pause });
    expect(pause).toHaveBeenCalledTimes(4);
    expect(sliced).toEqual(await animate(pictures));
  });

  it('of one colour has a table of four', async () => {
    const plain = { width: 8, height: 8, channels: 3 as const, data: new Uint8Array(192).fill(7) };
    const { data } = await decode(await animate([plain]));
    expect([...data.subarray(0, 4)]).toEqual([7, 7, 7, 255]);
  });
});
