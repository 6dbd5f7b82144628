/**
 * Runs before each test file, in its process: when the file is done, whatever it started is ended.
 *
 * @module
 */
import { afterAll } from 'vitest';
import { endLeftovers } from './leftovers.ts';

const VARIABLE = 'KILLME_TEST_FILE';
const mark = String(process.pid);
process.env[VARIABLE] = mark;

// Where npm and turbo were started says nothing of where a command of a test is: a test says it itself.
for (const name of ['INIT_CWD', 'TURBO_INVOCATION_DIR']) delete process.env[name];

// Hooks run in the reverse of their order, so this one is the last.
afterAll(() => {
  for (const { pid, command } of endLeftovers(VARIABLE, mark)) {
    console.warn(`a test left process ${pid} behind; it was ended: ${command}`);
  }
});
