import { CHARACTERS } from '@killme/data';
import { creditSchema, licenceSchema, type Rights, UserError } from '@killme/model';
import type { RunRecord } from '../run/record.ts';

/**
 * Checks what a command line says of rights.
 * @throws UserError naming the option that is not one line, or too long.
 */
export function checkRights(rights: Rights): Rights {
  for (const [name, schema, text] of [
    ['licence', licenceSchema, rights.licence],
    ['credit', creditSchema, rights.credit],
  ] as const) {
    const issue = text === undefined ? undefined : schema.safeParse(text).error?.issues[0];
    if (issue) throw new UserError(`--${name} ${issue.message}`);
  }
  return rights;
}

/** The rights of a run's generator: those that are given now, the run's own, or those of the stand-in characters. */
export function rightsOf({ options }: RunRecord, given: Rights = {}): Rights {
  const ofImages: Rights = options.data === null ? CHARACTERS : {};
  return checkRights({
    licence: given.licence ?? options.licence ?? ofImages.licence,
    credit: given.credit ?? options.credit ?? ofImages.credit,
  });
}
