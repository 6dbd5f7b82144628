import type { Picture } from '@killme/model';

/** What a palette of a GIF holds. */
const MOST_COLOURS = 256;

/** Pixels that are looked at, of all pictures together. */
const SAMPLED_PIXELS = 2 ** 16;

/** Colours are distinguished by the upper bits of each channel. */
const BITS = 5;
const LEVELS = 2 ** BITS;

/** Below this alpha a pixel is transparent. */
const OPAQUE = 128;

/** Colours that stand for all colours of some pictures. */
export interface Palette {
  /** Red, green, blue of each. */
  colours: Uint8Array;
  /** An index has so many, 2 … 8. */
  bits: number;
  /** The index of what is transparent, where something is. */
  transparent: number | undefined;
  /** Writes the index of each pixel from `from` up to `to`. */
  indexPixels(picture: Picture, indices: Uint8Array, from: number, to: number): void;
}

/**
 * The colours of a sample of the pixels, by median cut (Heckbert, "Color Image Quantization for Frame
 * Buffer Display", SIGGRAPH 1982): the box of colours with the most pixels times its longest side is
 * cut at its median, again and again. In whole numbers: the same in every runtime.
 * @param pictures of one size and as many channels each.
 */
export function choosePalette(pictures: readonly Picture[]): Palette {
  if (pictures[0]!.channels === 1) return greys();
  const bins = countColours(pictures);
  const hasTransparent = pictures.some(isPartlyTransparent);
  const boxes = cutBoxes(bins, MOST_COLOURS - (hasTransparent ? 1 : 0));
  const colours = new Uint8Array(3 * MOST_COLOURS);
  for (const [i, box] of boxes.entries()) colours.set(meanOf(box), 3 * i);
  const transparent = hasTransparent ? boxes.length : undefined;
  const size = boxes.length + (hasTransparent ? 1 : 0);
  return {
    colours,
    bits: Math.max(2, Math.ceil(Math.log2(size))),
    transparent,
    indexPixels: nearestIndices(colours, boxes.length, transparent),
  };
}

/** All levels of grey: nothing is lost. */
function greys(): Palette {
  return {
    colours: Uint8Array.from({ length: 3 * MOST_COLOURS }, (_, i) => Math.floor(i / 3)),
    bits: 8,
    transparent: undefined,
    indexPixels({ data }, indices, from, to) {
      indices.set(data.subarray(from, to), from);
    },
  };
}

/** Pixels of nearly the same colour: how many, and the sum of each of their channels. */
interface Bin {
  /** Upper bits of red, green and blue. */
  place: readonly [number, number, number];
  count: number;
  sums: [number, number, number];
}

function countColours(pictures: readonly Picture[]): Bin[] {
  const { width, height, channels } = pictures[0]!;
  const pixels = width * height;
  const step = Math.max(1, Math.floor((pixels * pictures.length) / SAMPLED_PIXELS));
  const bins = new Map<number, Bin>();
  for (let sample = 0; sample < pixels * pictures.length; sample += step) {
    const { data } = pictures[Math.floor(sample / pixels)]!;
    const at = (sample % pixels) * channels;
    if (channels === 4 && data[at + 3]! < OPAQUE) continue;
    const [red, green, blue] = [data[at]!, data[at + 1]!, data[at + 2]!];
    const key = keyOf(red, green, blue);
    const bin = bins.get(key) ?? { place: placeOf(key), count: 0, sums: [0, 0, 0] };
    bin.count++;
    bin.sums[0] += red;
    bin.sums[1] += green;
    bin.sums[2] += blue;
    bins.set(key, bin);
  }
  return [...bins.values()];
}

function isPartlyTransparent({ channels, data }: Picture): boolean {
  if (channels !== 4) return false;
  for (let at = 3; at < data.length; at += 4) if (data[at]! < OPAQUE) return true;
  return false;
}

const SHIFT = 8 - BITS;
const keyOf = (red: number, green: number, blue: number) =>
  ((red >> SHIFT) << (2 * BITS)) | ((green >> SHIFT) << BITS) | (blue >> SHIFT);
const placeOf = (key: number): Bin['place'] => [
  key >> (2 * BITS),
  (key >> BITS) & (LEVELS - 1),
  key & (LEVELS - 1),
];

/** Bins side by side, in which the palette has one colour. */
interface Box {
  bins: Bin[];
  count: number;
  /** The channel in which its bins lie furthest apart, and how far. */
  axis: 0 | 1 | 2;
  length: number;
}

function cutBoxes(bins: Bin[], most: number): Bin[][] {
  if (bins.length === 0) return [[]];
  const boxes = [boxOf(bins)];
  while (boxes.length < most) {
    const next = boxes.reduce((a, b) => (weight(b) > weight(a) ? b : a));
    if (weight(next) === 0) break;
    boxes.splice(boxes.indexOf(next), 1, ...cut(next));
  }
  return boxes.map((box) => box.bins);
}

const weight = ({ count, length }: Box) => count * length;

function boxOf(bins: Bin[]): Box {
  const lengths = ([0, 1, 2] as const).map((axis) => {
    const places = bins.map(({ place }) => place[axis]);
    return { axis, length: Math.max(...places) - Math.min(...places) };
  });
  const { axis, length } = lengths.reduce((a, b) => (b.length > a.length ? b : a));
  return { bins, count: bins.reduce((sum, { count }) => sum + count, 0), axis, length };
}

/** Two boxes with about as many pixels each. */
function cut({ bins, count, axis }: Box): [Box, Box] {
  const sorted = bins.toSorted((a, b) => a.place[axis] - b.place[axis]);
  let before = 0;
  let at = 0;
  while (at < sorted.length - 1 && (at === 0 || before + sorted[at]!.count / 2 < count / 2)) {
    before += sorted[at++]!.count;
  }
  return [boxOf(sorted.slice(0, at)), boxOf(sorted.slice(at))];
}

function meanOf(bins: readonly Bin[]): [number, number, number] {
  const count = bins.reduce((sum, bin) => sum + bin.count, 0);
  if (count === 0) return [255, 255, 255];
  const mean = (channel: 0 | 1 | 2) =>
    Math.round(bins.reduce((sum, { sums }) => sum + sums[channel], 0) / count);
  return [mean(0), mean(1), mean(2)];
}

/** Finds the nearest colour; what was found is remembered for all colours with the same upper bits. */
function nearestIndices(
  colours: Uint8Array,
  count: number,
  transparent: number | undefined,
): Palette['indexPixels'] {
  const known = new Int16Array(LEVELS ** 3).fill(-1);
  return ({ channels, data }, indices, from, to) => {
    for (let pixel = from; pixel < to; pixel++) {
      const at = pixel * channels;
      if (transparent !== undefined && data[at + 3]! < OPAQUE) {
        indices[pixel] = transparent;
        continue;
      }
      const red = data[at]!;
      const green = data[at + 1]!;
      const blue = data[at + 2]!;
      const key = keyOf(red, green, blue);
      if (known[key]! < 0) known[key] = nearest(colours, count, red, green, blue);
      indices[pixel] = known[key]!;
    }
  };
}

function nearest(colours: Uint8Array, count: number, ...[red, green, blue]: number[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const distance =
      (colours[3 * i]! - red!) ** 2 +
      (colours[3 * i + 1]! - green!) ** 2 +
      (colours[3 * i + 2]! - blue!) ** 2;
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}
