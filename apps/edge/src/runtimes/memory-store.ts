import { LRUCache } from 'lru-cache';
import type { ImageStore, KeptPicture } from '../render/image-store.ts';

/** Some thousand avatars, or the fifty largest answers. */
const MOST_BYTES = 64 * 2 ** 20;

/** Pictures in the memory of a server, those that were asked for last. */
export function memoryStore(maxSize = MOST_BYTES): ImageStore {
  const pictures = new LRUCache<string, KeptPicture>({
    maxSize,
    sizeCalculation: ({ bytes }) => bytes.length,
  });
  return {
    name: 'memory',
    find: async (key) => pictures.get(key)?.bytes,
    async keep(key, picture) {
      pictures.set(key, picture);
    },
  };
}
