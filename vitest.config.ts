import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** For every package: `vitest run --config ../../vitest.config.ts` in its folder. */
export default defineConfig({
  test: {
    setupFiles: [resolve(import.meta.dirname, '.ci/vitest-setup.ts')],
    // A test may train, or start servers, on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 300_000,
    reporters: ['default', 'json'],
    outputFile: { json: 'dist/test-results.json' },
  },
});
