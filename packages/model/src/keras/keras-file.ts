/**
 * What is read of a file with Keras layers, whatever its format.
 *
 * @module
 */
import { UserError } from '../user-error.ts';
import type { Dialect } from './layers/reading.ts';
import type { Owner, StoredWeights } from './stored-weights.ts';

/** Reads a file that lies beside the one that is read. */
export type ReadBeside = (name: string) => Promise<Uint8Array>;

/** What a Keras file holds. */
export interface KerasFile {
  /** The architecture; undefined in files of weights alone. */
  config: unknown;
  /** The program that wrote it and its version: `Keras 2.2.4`. */
  framework: string;
  dialect: Dialect;
  /** @throws UserError when weights are missing. */
  findWeights(owners: readonly Owner[]): StoredWeights;
}

/** @throws UserError when the text is no object in JSON; `what` says which text. */
export function parseJson(text: string, what: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // The error says no more than the line below.
  }
  throw new UserError(`${what} is no JSON: copy or download it again`);
}
