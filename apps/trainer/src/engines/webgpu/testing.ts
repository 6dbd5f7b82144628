/**
 * What the tests of this engine share: they run where there is an adapter, under Deno.
 *
 * @module
 */
import { describe } from 'vitest';
import { findDeno, runInDeno } from '../deno.ts';
import { findWebgpu } from './adapter.ts';

export const MINUTES = 60_000;

export const found = await findWebgpu();

/** Tests that are skipped without an adapter; their title then says that nothing was checked. */
export function describeOnWebgpu(title: string, tests: () => void): void {
  const without = found.available
    ? ''
    : ` (NOT CHECKED HERE: ${found.reason}; see docs/engines.md)`;
  describe.skipIf(!found.available)(`${title}${without}`, tests);
}

/**
 * Runs a module of checks under Deno.
 * @returns what it prints as JSON in its last line.
 */
export async function runChecks<Checks>(module: string): Promise<Checks> {
  const printed = await runInDeno(findDeno()!, module, 2 * MINUTES);
  return JSON.parse(printed.trim().split('\n').at(-1)!) as Checks;
}
