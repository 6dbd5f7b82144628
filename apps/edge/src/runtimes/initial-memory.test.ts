import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { TFJS_BINARY, WEBP_BINARY } from './disk.ts';
import { withSmallMemory } from './initial-memory.ts';

it.each([
  ['tfjs', TFJS_BINARY],
  ['libwebp', WEBP_BINARY],
])('%s’s wasm differs in the two bytes of its initial pages', async (_, address) => {
  const before = await readFile(new URL(import.meta.resolve(address)));
  const after = withSmallMemory(before);
  expect(after.length).toBe(before.length);
  expect([...after.keys()].filter((i) => after[i] !== before[i])).toHaveLength(2);
  await expect(WebAssembly.compile(after)).resolves.toBeInstanceOf(WebAssembly.Module);
});

it('starts with 1 MiB', async () => {
  // (module (memory (export "m") 256 512))
  const text = '0061736d01000000' + '0506010180028004' + '070501016d0200';
  const { instance } = await WebAssembly.instantiate(withSmallMemory(Buffer.from(text, 'hex')));
  const memory = instance.exports.m as WebAssembly.Memory;
  expect(memory.buffer.byteLength).toBe(2 ** 20);
});

it('refuses a module without a memory', () => {
  expect(() => withSmallMemory(Buffer.from('0061736d01000000', 'hex'))).toThrow(
    'the module declares no memory',
  );
});
