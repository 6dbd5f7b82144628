import { joinSeeds } from './seed-list.ts';

/** The one way to write valid parameters: every default written, a flag that is off omitted. */
export function canonicalQuery(parameters: Readonly<Record<string, unknown>>): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => {
      const text = value === true ? '1' : Array.isArray(value) ? joinSeeds(value) : String(value);
      return `${name}=${encodeURIComponent(text)}`;
    })
    .join('&');
}
