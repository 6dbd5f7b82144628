import type { Channels, Picture } from '@killme/model';

/** Four bytes a pixel: grey in all three colours, opaque where the picture has no alpha. */
export function toRgba({ channels, data }: Picture): Uint8Array {
  if (channels === 4) return data;
  const rgba = new Uint8Array((data.length / channels) * 4).fill(255);
  const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
  for (let from = 0, to = 0; from < data.length; from += channels, to += 4) {
    rgba[to] = data[from]!;
    rgba[to + 1] = data[from + green]!;
    rgba[to + 2] = data[from + blue]!;
  }
  return rgba;
}

/** The first of the four channels of each pixel, as many as are wanted. */
export function takeChannels(rgba: Uint8Array, channels: Channels): Uint8Array {
  if (channels === 4) return rgba;
  const taken = new Uint8Array((rgba.length / 4) * channels);
  for (let from = 0, to = 0; to < taken.length; from += 4, to += channels) {
    for (let channel = 0; channel < channels; channel++) {
      taken[to + channel] = rgba[from + channel]!;
    }
  }
  return taken;
}

/** RGB: what is transparent is laid on white. */
export function flatten(picture: Picture): Picture {
  if (picture.channels === 3) return picture;
  const rgba = toRgba(picture);
  const data = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3]! / 255;
    for (let channel = 0; channel < 3; channel++) {
      data[to + channel] = Math.round(rgba[from + channel]! * alpha + 255 * (1 - alpha));
    }
  }
  return { ...picture, channels: 3, data };
}
