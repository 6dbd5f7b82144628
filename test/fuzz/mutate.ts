import type { Random } from '@killme/model';

/** Numbers at which parsers fail. */
const WORDS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** One of them. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.integers(1, choices.length)[0]!]!;
}

/** Bytes with one to four changes: bits, words, cuts, repeats. Never the same bytes. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let changed: Uint8Array<ArrayBuffer> = Uint8Array.from(bytes);
  const count = 1 + random.integers(1, 4)[0]!;
  for (let i = 0; i < count; i++) changed = change(changed, random);
  if (Buffer.compare(changed, bytes) === 0) changed = flipBit(changed, random);
  return changed;
}

function change(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (bytes.length < 8) return Uint8Array.from([...bytes, ...random.integers(8, 256)]);
  const at = random.integers(1, bytes.length - 4)[0]!;
  const length = random.integers(1, Math.min(64, bytes.length - at))[0]!;
  const slice = bytes.subarray(at, at + length);
  switch (random.integers(1, 5)[0]!) {
    case 0:
      return flipBit(bytes, random);
    case 1: {
      const copy = Uint8Array.from(bytes);
      new DataView(copy.buffer).setUint32(at, pick(random, WORDS), pick(random, [true, false]));
      return copy;
    }
    case 2:
      return bytes.slice(0, at);
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at), ...slice, ...bytes.subarray(at)]);
    default:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
  }
}

function flipBit(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes);
  const at = random.integers(1, copy.length)[0]!;
  copy[at]! ^= 1 << random.integers(1, 8)[0]!;
  return copy;
}
