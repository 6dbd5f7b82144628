import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** For every package, whose own vitest.config.ts exports this one. */
export default defineConfig({
  test: {
    setupFiles: [resolve(import.meta.dirname, '.ci/vitest-setup.ts')],
    // A test may train, or start servers, on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 300_000,
    reporters: ['default', 'json'],
    outputFile: { json: 'dist/test-results.json' },
    tags: [
      {
        name: 'slow',
        description:
          'Trains, starts processes or compiles for more than two seconds: not for test:unit. ' +
          'A file has it by the line `// @module-tag slow`.',
      },
    ],
  },
});
