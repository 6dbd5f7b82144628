// @module-tag slow
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildKernels } from './build.ts';

it('kernels.wasm is what the sources compile to', async () => {
  const committed = readFileSync(new URL('kernels.wasm', import.meta.url));
  expect(Buffer.from(await buildKernels()).equals(committed)).toBe(true);
});
