import type { Dataset } from '@killme/data';
import { createRandom } from '@killme/model';

/** Images of noise: what is trained on changes nothing in how long it takes. */
export function noiseDataset(imageSize: number): Dataset {
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
