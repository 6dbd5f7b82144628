/**
 * What a file says of where its picture is from, in the words of each format. It never touches a pixel.
 *
 * @module
 */
import { concatenate } from './bytes.ts';
import { chunk } from './png-file.ts';

/** Where a picture is from. */
export interface Metadata {
  /** What it shows: a seed, or several. */
  title?: string | undefined;
  /** Of these very bytes for ever, without a host: `/v/4f3a9c12d0e1f2a3/img?seed=alice&format=png`. */
  address?: string | undefined;
  /** sha256 of the generator, hex. */
  generator: string;
  licence?: string | undefined;
  credit?: string | undefined;
}

/**
 * The facts under the names that PNG has for them (PNG, third edition, 11.3.3.1): there `Source` is the
 * device that made a picture.
 */
export function metadataTexts({
  title,
  address,
  generator,
  licence,
  credit,
}: Metadata): [name: string, text: string][] {
  const texts: [string, string | undefined][] = [
    ['Title', title],
    ['Address', address],
    ['Source', `killme-generator sha256:${generator}`],
    ['Software', 'Killme'],
    ['Copyright', licence],
    ['Author', credit],
  ];
  return texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, printable(text)]]));
}

/** What no format can hold, and no reader shows; the address has it, percent-encoded. */
const printable = (text: string) => text.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD');

const utf8 = (text: string) => new TextEncoder().encode(text);

/** One `iTXt` chunk for each fact: UTF-8, not compressed (PNG, 11.3.3.4). */
export const pngTexts = (metadata: Metadata): Uint8Array[] =>
  metadataTexts(metadata).map(([name, text]) =>
    // Behind the name: no compression, its method, no language, no translated name.
    chunk('iTXt', utf8(name), [0, 0, 0, 0, 0], utf8(text)),
  );

/** A comment extension with one line for each fact (GIF89a, 24). */
export function gifComment(metadata: Metadata): Uint8Array {
  const lines = metadataTexts(metadata).map(([name, text]) => `${name}: ${text}\n`);
  const bytes = utf8(lines.join(''));
  const blocks: ArrayLike<number>[] = [];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.subarray(at, at + 255);
    blocks.push([block.length], block);
  }
  return concatenate([[0x21, 0xfe], ...blocks, [0]]);
}

const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/**
 * XMP in Dublin Core's terms, and IPTC's word for pictures of trained networks, as short as it can be:
 * simple properties are attributes (ISO 16684-1, 7.9.2); the packet's wrapper and `x:xmpmeta` (7.3), which
 * are for finding it in other bytes, are omitted, as WebP has a chunk for it; `Source` names the software.
 */
export function xmpPacket(metadata: Metadata): string {
  const facts = Object.fromEntries(metadataTexts(metadata));
  const attribute = (name: string, text: string | undefined) =>
    text === undefined ? '' : ` ${name}="${escapeXml(text).replaceAll('"', '&quot;')}"`;
  const list = (name: string, kind: 'Alt' | 'Seq', text: string | undefined) => {
    const language = kind === 'Alt' ? ' xml:lang="x-default"' : '';
    return text === undefined
      ? ''
      : `<${name}><rdf:${kind}><rdf:li${language}>${escapeXml(text)}</rdf:li></rdf:${kind}></${name}>`;
  };
  return [
    `<rdf:RDF ${NAMESPACES}><rdf:Description rdf:about=""`,
    attribute('dc:identifier', facts.Address),
    attribute('dc:source', facts.Source),
    attribute('Iptc4xmpExt:DigitalSourceType', TRAINED),
    '>',
    list('dc:title', 'Alt', facts.Title),
    list('dc:rights', 'Alt', facts.Copyright),
    list('dc:creator', 'Seq', facts.Author),
    '</rdf:Description></rdf:RDF>',
  ].join('');
}

/** https://cv.iptc.org/newscodes/digitalsourcetype/ */
const TRAINED = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';

const NAMESPACES = [
  'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"',
  'xmlns:dc="http://purl.org/dc/elements/1.1/"',
  'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"',
].join(' ');
