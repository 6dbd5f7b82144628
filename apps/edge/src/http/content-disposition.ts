const SHOWN_CHARACTERS = 60;

/**
 * `Content-Disposition` for a file that is saved.
 * @param extension without the dot.
 * @param words what it is of; characters that file systems refuse become `-`.
 */
export function attachment(extension: string, ...words: readonly string[]): string {
  const [plain, full] = [/[^A-Za-z0-9._-]+/g, /[\p{C}\s"*/:<>?\\|%]+/gu].map((refused) => {
    const name = words.map((word) => word.replace(refused, '-')).join('-');
    return `killme-${[...name].slice(0, SHOWN_CHARACTERS).join('')}.${extension}`;
  }) as [string, string];
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeExtended(full)}`;
}

/** RFC 8187 lets fewer characters stand than `encodeURIComponent` does. */
const encodeExtended = (text: string) =>
  encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
