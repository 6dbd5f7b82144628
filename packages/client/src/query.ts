/**
 * The query parameters of a server's routes; docs at `/docs` of each server.
 *
 * @module
 */

/** What every route of pictures takes. */
export interface CommonOptions {
  /** The longer side of each picture, in pixels: 64 to 512. As the generator makes it when omitted. */
  size?: number | undefined;
  /** A generator that the server names at `/model`; its first when omitted. Not with a pin, which names one. */
  model?: string | undefined;
  /** A class that the generator knows; the seed chooses when omitted. */
  class?: string | undefined;
  /** `none` leaves out what the file says of its seeds, generator, address, licence and credit. */
  metadata?: 'all' | 'none' | undefined;
  /** Makes a browser save the file. */
  download?: boolean | undefined;
}

/** Standard deviations (-4 to 4, three decimals) along a named direction of the generator. */
export interface Move {
  direction: string;
  strength: number;
}

/** Of one picture. */
export interface ImageOptions extends CommonOptions {
  format?: 'png' | 'webp' | undefined;
  move?: readonly Move[] | undefined;
}

/** Of a walk. */
export interface MorphOptions extends CommonOptions {
  /** Pictures, both ends included: 2 to 64, 10 when omitted. */
  steps?: number | undefined;
  /** Seeds on the way. */
  via?: readonly string[] | undefined;
  /** What changes step by step: the latent, or the pixels (a cross-fade). */
  space?: 'latent' | 'pixel' | undefined;
  path?: 'linear' | 'slerp' | undefined;
  /** Back to the first seed, for animations that play for ever. */
  loop?: boolean | undefined;
  format?: 'png' | 'apng' | 'gif' | 'json' | undefined;
}

/** Of a contact sheet. */
export interface GridOptions extends CommonOptions {
  /** Rows and columns: 1 to 8, 5 when omitted. */
  n?: number | undefined;
}

/** Of latent arithmetic. */
export interface MixOptions extends ImageOptions {}

/** Of a card. */
export interface OgOptions extends Omit<CommonOptions, 'size'> {
  format?: 'png' | 'webp' | undefined;
}

type Value = string | number | boolean | readonly string[] | readonly Move[] | undefined;

/** Options as a query: lists with commas, flags as 1; what is undefined, or a flag that is off, is omitted. */
export function writeQuery(options: Readonly<Record<string, Value>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === false) continue;
    query.set(name, writeValue(value));
  }
  return query.toString();
}

function writeValue(value: Exclude<Value, undefined | false>): string {
  if (value === true) return '1';
  if (typeof value !== 'object') return String(value);
  return value
    .map((entry) =>
      typeof entry === 'string' ? entry : `${entry.direction}:${Number(entry.strength.toFixed(3))}`,
    )
    .map((entry) => entry.replace(/[\\,]/g, '\\$&'))
    .join(',');
}
