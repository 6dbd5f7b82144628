import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** What is wrong with one query parameter. */
export interface ParameterFault {
  parameter: string;
  /** What would have been right, in words: `a whole number from 2 to 64`. */
  allowed: string;
  /** The value that came, shortened; absent when none came. */
  received?: string;
}

/** An answer that is not the asked-for one, as RFC 9457 writes it. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: ContentfulStatusCode;
  readonly errors: readonly ParameterFault[];
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail one sentence for the person who made the request. */
  constructor(
    status: ContentfulStatusCode,
    detail: string,
    {
      errors = [],
      headers = {},
    }: { errors?: readonly ParameterFault[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }
}

const TITLES: Partial<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  414: 'URI Too Long',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** A problem as `application/problem+json`; never to be cached, and never with a stack. */
export function problemResponse({ status, message, errors, headers }: ProblemError): Response {
  const problem = {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail: message,
    ...(errors.length > 0 ? { errors } : {}),
  };
  return new Response(`${JSON.stringify(problem)}\n`, {
    status,
    headers: {
      ...headers,
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
    },
  });
}

const SHOWN_CHARACTERS = 80;

/** Something that came from outside, cut to what a person still reads. */
export function shorten(text: string): string {
  // Cut twice: a seed of ten megabytes must not become an array of ten million characters.
  const characters = [...text.slice(0, 4 * SHOWN_CHARACTERS)];
  if (text.length <= 4 * SHOWN_CHARACTERS && characters.length <= SHOWN_CHARACTERS) return text;
  return `${characters.slice(0, SHOWN_CHARACTERS).join('')}…`;
}

/** Reported at most, so that a request cannot make its answer long. */
const REPORTED_FAULTS = 8;

/** The 400 for wrong parameters. */
export function badParameters(faults: readonly ParameterFault[]): ProblemError {
  const errors = faults.slice(0, REPORTED_FAULTS);
  const detail = errors.map(sentence).join(' ');
  return new ProblemError(400, detail, { errors });
}

function sentence({ parameter, allowed, received }: ParameterFault): string {
  if (allowed === 'no parameters')
    return `Parameter "${parameter}" is unknown: none is taken here.`;
  if (allowed.startsWith('only ')) {
    return `Parameter "${parameter}" is unknown: ${allowed} are taken here.`;
  }
  const got = received === undefined ? 'it is missing' : `got "${received}"`;
  return `Parameter "${parameter}" must be ${allowed}; ${got}.`;
}
