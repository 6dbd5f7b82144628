/**
 * Pins: what names a generator in an address for ever, `/v/<pin>/img?seed=alice`. A pin is 8 to 64
 * digits of the generator's hash; where seeds stand for pictures of a gallery, their number follows:
 * `4f3a9c12-1000`.
 *
 * @module
 */
import { canonicalQuery } from '../http/canonical-query.ts';
import { badParameters, ProblemError, shorten } from '../http/problem.ts';

/** Digits of the hash in the pins that a server gives: 64 bits. */
const GIVEN_DIGITS = 16;

const PIN = /^([0-9a-f]{8,64})(?:-([1-9]\d{0,6}))?$/;

/** What a pin names: a generator, and the pictures of its gallery if seeds stand for those. */
export interface Pinned {
  /** sha256, hex. */
  hash: string;
  gallery: { pictures: number } | undefined;
}

/** The pin that a server gives. */
export const pinOf = ({ hash, gallery }: Pinned): string =>
  hash.slice(0, GIVEN_DIGITS) + (gallery ? `-${gallery.pictures}` : '');

/**
 * The address of a picture for ever, without a host.
 * @param query valid parameters in the order of identityOf (plan.ts)
 */
export const pinnedAddress = (
  pin: string,
  route: string,
  query: Readonly<Record<string, unknown>>,
): string => `/v/${pin}/${route}?${canonicalQuery(query)}`;

/**
 * Finds what a pin names.
 * @param pin as an address has it
 * @param candidates of the server, the first ones first
 * @returns one of them; its gallery is undefined when the pin names none.
 * @throws ProblemError 400 when it is no pin, or names several generators; 404 with the pins that there
 *   are when it names none.
 */
export function findPinned<Candidate extends Pinned>(
  pin: string,
  candidates: readonly Candidate[],
): Candidate {
  const [, digits, pictures] = PIN.exec(pin) ?? [];
  const received = shorten(pin);
  if (digits === undefined) {
    const allowed =
      '8 to 64 hexadecimal digits of a generator’s hash, in small letters, with -<pictures> for a gallery';
    throw badParameters([{ parameter: 'pin', allowed, received }]);
  }
  const begun = candidates.filter(({ hash }) => hash.startsWith(digits));
  const hashes = [...new Set(begun.map(({ hash }) => hash))];
  if (hashes.length > 1) {
    const allowed = `longer: several generators begin so (${hashes.join(', ')})`;
    throw badParameters([{ parameter: 'pin', allowed, received }]);
  }
  const found =
    pictures === undefined
      ? begun.map((candidate) => ({ ...candidate, gallery: undefined }))
      : begun.filter(({ gallery }) => String(gallery?.pictures) === pictures);
  if (found[0]) return found[0];
  const pins = [...new Set(candidates.map(pinOf))];
  throw new ProblemError(
    404,
    `This server does not have the generator of /v/${received}, only those of ` +
      `${pins.map((each) => `/v/${each}`).join(', ')}.`,
    { errors: [{ parameter: 'pin', allowed: `one of: ${pins.join(', ')}`, received }] },
  );
}
