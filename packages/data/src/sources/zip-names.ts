import iconv from 'iconv-lite';
import type { Entry } from 'yauzl';

const UTF_8 = new TextDecoder('utf-8', { fatal: true });
const SHIFT_JIS = new TextDecoder('shift_jis', { fatal: true });

const JAPANESE = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}々ー]/u;
/** A lone Japanese letter inside a Latin word: `château` in CP437 reads `chフteau` in Shift-JIS. */
const TORN_WORD = /[a-z]\P{ASCII}[a-z]|[a-z]\P{ASCII}$/u;

/**
 * Names of zip entries that do not say which encoding they are in. Linux writes UTF-8 without the
 * flag; Windows writes its OEM code page: Shift-JIS in Japan, CP437 or a relative elsewhere. An
 * archive comes from one machine, so all its names that are not UTF-8 are read alike.
 */
export function decodeNames(entries: readonly Entry[]): Map<Entry, string> {
  const names = new Map<Entry, string>();
  const others: Entry[] = [];
  for (const entry of entries) {
    const name = decode(UTF_8, entry.fileNameRaw);
    if (name === undefined) others.push(entry);
    else names.set(entry, name);
  }
  const japanese = others.map((entry) => decode(SHIFT_JIS, entry.fileNameRaw));
  const areJapanese = japanese.every(
    (name) => name !== undefined && JAPANESE.test(name) && !isTorn(name),
  );
  for (const [i, entry] of others.entries()) {
    names.set(entry, areJapanese ? japanese[i]! : iconv.decode(entry.fileNameRaw, 'cp437'));
  }
  return names;
}

const isTorn = (path: string) =>
  path
    .replace(/\.[a-z0-9]+$/i, '')
    .split('/')
    .some((part) => TORN_WORD.test(part));

function decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
