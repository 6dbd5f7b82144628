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

// Hooks run in the reverse of their order, so this one is the last.
afterAll(() => {
  for (const { pid, command } of endLeftovers(VARIABLE, mark)) {
    console.warn(`a test left process ${pid} behind; it was ended: ${command}`);
  }
});
