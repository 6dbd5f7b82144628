import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** For every package, whose own vitest.config.ts exports this one. */
export default defineConfig({
  test: {
    // vitest leaves one core to itself, and on two cores waits for servers and commands one at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
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
