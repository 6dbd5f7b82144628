import type { Dataset } from '@killme/data';
import { createRandom, type Random } from '@killme/model';

/** One iteration of training, until its numbers have been read. @returns losses and accuracies. */
export type Iterate = () => Promise<number[]>;

/** Images of noise: what is trained on changes nothing in how long it takes. */
export function benchDataset(imageSize: number): Dataset {
  const count = 64;
  const words = createRandom('bench/images').uint32s((count * imageSize * imageSize * 3) / 4);
  return {
    name: 'noise',
    imageSize,
    count,
    images: new Uint8Array(words.buffer, words.byteOffset, words.byteLength),
    classes: ['noise'],
    labels: new Uint16Array(count),
    files: [],
    omitted: [],
    fingerprint: '',
  };
}

let calls = 0;

/** Other random numbers at each call. */
export function benchRandom(): Random {
  return createRandom(`bench/${calls++}`);
}
