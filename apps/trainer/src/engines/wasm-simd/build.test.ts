import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { buildKernels } from './build.ts';

function hasCompiler(): boolean {
  try {
    return Boolean(createRequire(import.meta.url).resolve('assemblyscript/asc'));
  } catch {
    return false;
  }
}

it.skipIf(!hasCompiler())('kernels.wasm is what the sources compile to', async () => {
  const committed = readFileSync(new URL('kernels.wasm', import.meta.url));
  expect(Buffer.from(await buildKernels()).equals(committed)).toBe(true);
});
