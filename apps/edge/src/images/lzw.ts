/** Codes have at most so many bits; then the table begins anew. */
const MOST_BITS = 12;

/** Slots of the hash table: a prime, twice as many as there are codes. */
const SLOTS = 8209;

/**
 * LZW as GIF has it (GIF89a, appendix F): codes from the lowest bit on, of growing width.
 * @param indices each below 2 ** `bits`
 * @param bits of an index, at least 2
 */
export function compressLzw(indices: Uint8Array, bits: number): Uint8Array {
  const clear = 2 ** bits;
  const writer = new BitWriter(indices.length);
  /** The key of each slot: a code and the index behind it; 0 is empty. */
  const keys = new Int32Array(SLOTS);
  const codes = new Uint16Array(SLOTS);
  let next = clear + 2;
  let width = bits + 1;
  let prefix = indices[0]!;
  writer.write(clear, width);
  for (let i = 1; i < indices.length; i++) {
    const index = indices[i]!;
    const key = ((prefix << 8) | index) + 1;
    let slot = key % SLOTS;
    while (keys[slot] !== 0 && keys[slot] !== key) slot = slot === 0 ? SLOTS - 1 : slot - 1;
    if (keys[slot] === key) {
      prefix = codes[slot]!;
      continue;
    }
    writer.write(prefix, width);
    prefix = index;
    if (next === 2 ** MOST_BITS) {
      writer.write(clear, width);
      keys.fill(0);
      next = clear + 2;
      width = bits + 1;
      continue;
    }
    if (next === 2 ** width) width++; // the decoder knows this code one step later
    keys[slot] = key;
    codes[slot] = next++;
  }
  writer.write(prefix, width);
  writer.write(clear + 1, width); // the end
  return writer.bytes();
}

/** Writes numbers of a few bits one after the other, from the lowest bit of each byte on. */
class BitWriter {
  #bytes: Uint8Array;
  #length = 0;
  #pending = 0;
  #pendingBits = 0;

  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(Math.max(64, expectedBytes));
  }

  write(value: number, bits: number): void {
    this.#pending |= value << this.#pendingBits;
    this.#pendingBits += bits;
    while (this.#pendingBits >= 8) this.#writeByte();
  }

  bytes(): Uint8Array {
    while (this.#pendingBits > 0) this.#writeByte();
    return this.#bytes.subarray(0, this.#length);
  }

  #writeByte(): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = this.#pending & 255;
    this.#pending >>>= 8;
    this.#pendingBits -= 8;
  }
}
