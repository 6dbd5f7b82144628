import { shake128 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * A source of random numbers that anyone can write again in a few lines: the output of SHAKE128
 * (FIPS 202) over the UTF-8 bytes of `key`, read as little-endian 32-bit words.
 *
 * In Python: `numpy.frombuffer(hashlib.shake_128(key.encode()).digest(4 * n), '<u4')`.
 *
 * A key names random numbers completely (`"7/batch/1200"`: run seed, purpose, iteration), so a resumed
 * run needs no saved generator state, and the same key gives the same numbers in every runtime.
 */
export interface Random {
  /** The next `count` words, each uniform over 0 … 2³²−1. */
  uint32s(count: number): Uint32Array;
  /** The next `count` float32 numbers, uniform over [-1, 1) in steps of 2⁻²³ (each exact). */
  uniform(count: number): Float32Array;
  /** The next `count` integers, each uniform over 0 … `limit` − 1 without bias. */
  integers(count: number, limit: number): Uint32Array;
  /** A permutation of 0 … `count` − 1 (Fisher–Yates). */
  permutation(count: number): Uint32Array;
}

/**
 * @param key any string; equal keys give equal streams.
 * @example createRandom('7/latent/0').uniform(100)
 */
export function createRandom(key: string): Random {
  const stream = shake128.create().update(utf8ToBytes(key));

  function uint32s(count: number): Uint32Array {
    const bytes = stream.xof(count * 4);
    const words = new Uint32Array(count);
    for (let i = 0, at = 0; i < count; i++, at += 4) {
      words[i] =
        bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    }
    return words;
  }

  function uniform(count: number): Float32Array {
    const words = uint32s(count);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = (words[i]! >>> 8) / 2 ** 23 - 1;
    return values;
  }

  function integers(count: number, limit: number): Uint32Array {
    const unbiased = 2 ** 32 - (2 ** 32 % limit);
    return Uint32Array.from({ length: count }, () => {
      let word = uint32s(1)[0]!;
      while (word >= unbiased) word = uint32s(1)[0]!;
      return word % limit;
    });
  }

  function permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = integers(1, i + 1)[0]!;
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  return { uint32s, uniform, integers, permutation };
}
