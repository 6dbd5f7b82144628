/**
 * Parameters in the path, where a query would be lost or a file name is wanted: `/img/128/alice.png`
 * is `/img?size=128&seed=alice&format=png`.
 *
 * @module
 */
import { badParameters, type ParameterFault, ProblemError, shorten } from './problem.ts';

/** A last segment `<value>.<format>`, as routes name it: `seed.format`. */
const FILE = '.format';

/**
 * Reads the last segments of a path, percent-decoded; `+` is itself, and `%2F` a slash in a seed.
 * @param names of their parameters, in the order of the path; of a file `<name>.format`
 * @throws ProblemError 400 for bytes that are not UTF-8 and a file without a format; 404 for a slash too
 *   many.
 */
export function readPathParameters(
  names: readonly string[],
  url: string,
): Readonly<Record<string, string>> {
  if (names.length === 0) return {};
  const { pathname } = new URL(url);
  const segments = pathname.split('/').slice(-names.length);
  const values = names.flatMap((name, i) => {
    const segment = segments[i]!;
    if (!name.endsWith(FILE)) return [[name, decode(name, segment)] as const];
    const parameter = name.slice(0, -FILE.length);
    const dot = segment.lastIndexOf('.');
    if (dot < 0) throw fault('format', 'the end of the path, as in alice.png', segment);
    return [
      [parameter, decode(parameter, segment.slice(0, dot))],
      ['format', decode('format', segment.slice(dot + 1))],
    ] as const;
  });
  const { size, ...others } = Object.fromEntries(values);
  if (size === undefined) return others;
  if (/^\d+$/.test(size)) return { ...others, size };
  // Not a wrong size: a seed with a slash that was not encoded.
  throw new ProblemError(
    404,
    `There is nothing at ${shorten(pathname)}: before the file is a size in pixels, and a slash in a seed is %2F.`,
  );
}

function decode(parameter: string, segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw fault(parameter, 'UTF-8, percent-encoded', segment);
  }
}

function fault(parameter: string, allowed: string, received: string): ProblemError {
  const wrong: ParameterFault = { parameter, allowed, received: shorten(received) };
  return badParameters([wrong]);
}
