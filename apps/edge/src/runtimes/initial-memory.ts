/** The section of a wasm module that declares its memory. */
const MEMORY_SECTION = 5;

/** 1 MiB: both use a tenth of that before they allocate. */
const PAGES = 16;

/**
 * A wasm module with a smaller memory to start with: Emscripten gives its modules 16 MiB, which an
 * isolate of 128 would pay once for tfjs and once for libwebp. Both grow their memory as they need it.
 *
 * @param module the binary of a module that declares one memory.
 * @returns a copy that differs in the number of pages alone.
 * @throws Error when there is no such number, or it has not the length of the new one.
 */
export function withSmallMemory(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(module);
  let at = 8; // behind the magic number and the version
  while (at < copy.length) {
    const section = copy[at]!;
    const size = readNumber(copy, at + 1);
    if (section === MEMORY_SECTION) {
      // A count of one, flags, then the pages to start with.
      const pages = readNumber(copy, size.end + 2);
      if (pages.end - size.end !== 4) throw new Error('the pages of the memory are not two bytes');
      copy[size.end + 2] = 0x80 | PAGES; // the second byte, of no value, keeps the length
      copy[size.end + 3] = 0;
      return copy;
    }
    at = size.end + size.value;
  }
  throw new Error('the module declares no memory');
}

/** An unsigned number of wasm's format (LEB128): seven bits a byte, the lowest first. */
function readNumber(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  for (let at = start; ; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error('the module ends in the middle of a number');
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
}
