/** Pages of licences that are often chosen, by their SPDX identifiers; those of Creative Commons follow a rule. */
const PAGES: Readonly<Record<string, string>> = {
  'CC0-1.0': 'https://creativecommons.org/publicdomain/zero/1.0/',
  'Apache-2.0': 'https://www.apache.org/licenses/LICENSE-2.0',
  'BSD-3-Clause': 'https://opensource.org/license/bsd-3-clause',
  MIT: 'https://opensource.org/license/mit',
  'OFL-1.1': 'https://openfontlicense.org/',
  Unlicense: 'https://unlicense.org/',
};

const CREATIVE_COMMONS = /^CC-(BY(?:-NC)?(?:-ND|-SA)?)-(\d\.\d)$/;

/** Where a licence can be read: its own address, or that of an SPDX identifier; none of other words. */
export function licenceUrl(licence: string): string | undefined {
  const [, terms, version] = CREATIVE_COMMONS.exec(licence) ?? [];
  if (terms) return `https://creativecommons.org/licenses/${terms.toLowerCase()}/${version}/`;
  if (Object.hasOwn(PAGES, licence)) return PAGES[licence];
  return /^https?:/i.test(licence) && URL.canParse(licence) ? new URL(licence).href : undefined;
}
