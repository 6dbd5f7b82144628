import { UserError } from '@killme/model';

/** Bounds of whole numbers from 0 on, themselves included. */
export interface WholeRange {
  least: number;
  /** None where it is omitted. */
  most?: number | undefined;
}

/**
 * Reads a whole number that a person wrote, in digits.
 * @param name of the option
 * @param text undefined where the option was not given, but has to be
 * @throws UserError naming the option when it is no whole number in that range.
 */
export function readWhole(name: string, text: string | undefined, range: WholeRange): number {
  const value = text === undefined ? undefined : parseWhole(text, range);
  if (value !== undefined) return value;
  const got = text === undefined ? '; it is missing' : `, not ${text || 'nothing'}`;
  throw new UserError(`${name} must be ${describeWhole(range)}${got}`);
}

/** The number, or nothing when the text is no whole number in that range. */
export function parseWhole(
  text: string,
  { least, most = Number.MAX_SAFE_INTEGER }: WholeRange,
): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined;
}

/** The range in words: `a whole number from 1 to 60`. */
export const describeWhole = ({ least, most }: WholeRange): string =>
  `a whole number from ${least}${most === undefined ? '' : ` to ${most}`}`;
