/**
 * Reads queries by the schemas of parameters.ts, and says what is wrong with one.
 *
 * @module
 */
import type { Env } from 'hono';
import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { SEED_CHARACTERS } from './limits.ts';
import { noParameters } from './parameters.ts';
import { readPathParameters } from './path-parameters.ts';
import { badParameters, type ParameterFault, ProblemError, shorten } from './problem.ts';

/**
 * Longest path and query that is read, as Cloudflare's own limit on URLs. Two seeds of 256 four-byte
 * characters, percent-encoded, take 6 kB.
 */
const URL_CHARACTERS = 16 * 1024;

/** Middleware for a route that takes no parameters. */
export const noQuery = createMiddleware(async (c, next) => {
  readParameters(noParameters, c.req.url);
  await next();
});

/** Middleware for a page that takes no parameters: others add theirs to links that they pass on. */
export const anyQuery = createMiddleware(async (c, next) => {
  readParameters(noParameters, c.req.url, { ignoreUnknown: true });
  await next();
});

/**
 * Middleware that checks the query; the handlers after it read it with `c.req.valid('query')`.
 * @param path names of parameters that the end of the path says instead, see path-parameters.ts.
 */
export function query<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  path: readonly string[] = [],
) {
  type Checked = {
    in: { query: z.input<z.ZodObject<Shape>> };
    out: { query: z.output<z.ZodObject<Shape>> };
  };
  return createMiddleware<Env, string, Checked>(async (c, next) => {
    const inPath = readPathParameters(path, c.req.url);
    c.req.addValidatedData('query', readParameters(schema, c.req.url, { inPath }));
    await next();
  });
}

/**
 * Reads and checks the query of a request.
 * @param options.ignoreUnknown for pages, whose links are passed on with parameters of others: `fbclid`.
 * @param options.inPath parameters that the path has, which the query may not repeat.
 * @throws ProblemError 400 naming each wrong parameter, what it may be and what came; 414 for a URL
 * beyond 16 KiB.
 */
export function readParameters<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  url: string,
  {
    ignoreUnknown = false,
    inPath = {},
  }: { ignoreUnknown?: boolean; inPath?: Readonly<Record<string, string>> } = {},
): z.infer<z.ZodObject<Shape>> {
  if (url.length > URL_CHARACTERS) {
    throw new ProblemError(
      414,
      `The URL is longer than ${URL_CHARACTERS} characters; a seed has at most ${SEED_CHARACTERS}.`,
    );
  }
  const pairs = new URL(url).search.replace(/^\?/, '').split('&');
  const known = ignoreUnknown ? pairs.filter((pair) => isKnown(pair, schema)) : pairs;
  const inQuery = decodeQuery(known, schema);
  const again = Object.keys(inPath).filter((name) => Object.hasOwn(inQuery, name));
  if (again.length > 0) {
    const allowed = 'omitted where the path says it';
    throw badParameters(
      again.map((parameter) => ({ parameter, allowed, received: shorten(inQuery[parameter]!) })),
    );
  }
  const values = { ...inQuery, ...inPath };
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  throw badParameters(faultsOf(parsed.error, schema, values));
}

/**
 * Strict where URLSearchParams is lenient: it lets the same name come twice, and turns bytes that
 * are not UTF-8 into replacement characters, so that different requests would look the same.
 */
function decodeQuery(pairs: readonly string[], schema: z.ZodObject): Record<string, string> {
  const values = new Map<string, string>();
  const faults: ParameterFault[] = [];
  for (const pair of pairs) {
    if (pair === '') continue;
    const [rawName = '', ...rest] = pair.split('=');
    const rawValue = rest.join('=');
    const name = decode(rawName);
    const value = decode(rawValue);
    if (name === undefined || value === undefined) {
      faults.push({
        parameter: shorten(name ?? rawName),
        allowed: 'UTF-8, percent-encoded',
        received: shorten(rawValue),
      });
    } else if (values.has(name) && Object.hasOwn(schema.shape, name)) {
      faults.push({
        parameter: name,
        allowed: 'given once',
        received: `${shorten(values.get(name) ?? '')}, then ${shorten(value)}`,
      });
    } else {
      values.set(name, value);
    }
  }
  if (faults.length > 0) throw badParameters(faults);
  return Object.fromEntries(values);
}

const isKnown = (pair: string, schema: z.ZodObject) =>
  Object.hasOwn(schema.shape, decode(pair.split('=')[0] ?? '') ?? '');

/** Percent-decoding as forms have it (`+` is a space); nothing when the bytes are not UTF-8. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** One fault a parameter, with the words of the check that failed if it has some of its own. */
function faultsOf(
  error: z.ZodError,
  schema: z.ZodObject,
  values: Record<string, string>,
): ParameterFault[] {
  const faults = new Map<string, ParameterFault>();
  for (const issue of error.issues) {
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])];
    const own = issue.code === 'custom' ? issue.params?.allowed : undefined;
    for (const name of names) {
      const fault = describeFault(schema, name, values[name]);
      faults.set(name, typeof own === 'string' ? { ...fault, allowed: own } : fault);
    }
  }
  return [...faults.values()];
}

function describeFault(
  schema: z.ZodObject,
  name: string,
  value: string | undefined,
): ParameterFault {
  const received = value === undefined ? {} : { received: shorten(value) };
  if (!Object.hasOwn(schema.shape, name)) {
    const known = Object.keys(schema.shape);
    const allowed = known.length > 0 ? `only ${known.join(', ')}` : 'no parameters';
    return { parameter: shorten(name), allowed, ...received };
  }
  return { parameter: name, allowed: describe(schema.shape[name]), ...received };
}

/** The description of a schema or of what it wraps (optional, default). */
function describe(schema: z.core.$ZodType | undefined): string {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return describe(schema.unwrap());
  }
  return (schema instanceof z.ZodType && schema.description) || 'something else';
}
