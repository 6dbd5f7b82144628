import type { Picture } from '@killme/model';
import { expect, it, vi } from 'vitest';
import type { Gallery } from '../generator/gallery.ts';
import { noPause } from '../images/pause.ts';
import { encodePng } from '../images/png.ts';
import { readGalleryPicture, renderPictures } from './render.ts';

/** A square of one grey. */
const grey = (side: number, level: number): Picture => ({
  ...{ width: side, height: side, channels: 3 },
  data: new Uint8Array(side * side * 3).fill(level),
});

const square = (side: number) => ({ width: side, height: side });

it('pictures are rendered one by one, each brought to its size, with a pause between two', async () => {
  const steps: string[] = [];
  const pictures = await renderPictures(
    {
      sizes: [square(8), square(16), square(16)],
      latents: () => [1, 2, 3].map((level) => Float32Array.of(level)),
    },
    {
      async render([level]) {
        steps.push(`render ${level}`);
        return grey(8, 50 * level!);
      },
      async pause() {
        steps.push('pause');
      },
      onRendered: () => steps.push('count'),
    },
  );
  expect(pictures).toEqual([grey(8, 50), grey(16, 100), grey(16, 150)]);
  expect(steps.join(', ')).toBe('render 1, count, pause, render 2, count, pause, render 3, count');
});

it('a picture of a gallery is its file, brought to the size', async () => {
  const read = vi.fn(async () => encodePng(grey(8, 70), { pause: noPause, metadata: undefined }));
  const image: Gallery['image'] = { ...square(8), channels: 3, range: [-1, 1] };
  const gallery = { pictures: 10, image, read };
  const plan = { from: 'gallery', seed: '7', size: square(16), isFile: false } as const;
  const picture = await readGalleryPicture({
    ...plan,
    gallery: { ...gallery, seedOf: () => '7' },
  });
  expect(picture).toEqual(grey(16, 70));
  expect(read).toHaveBeenCalledWith('7');
});
