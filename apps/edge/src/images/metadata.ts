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

/** An XMP packet (ISO 16684-1) in Dublin Core's terms; IPTC's word for pictures of trained networks beside them. */
export function xmpPacket(metadata: Metadata): string {
  const facts = Object.fromEntries(metadataTexts(metadata));
  const alternatives = (name: string, text = '') =>
    `<${name}><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(text)}</rdf:li></rdf:Alt></${name}>`;
  const properties = [
    facts.Title === undefined ? '' : alternatives('dc:title', facts.Title),
    facts.Address === undefined ? '' : `<dc:identifier>${escapeXml(facts.Address)}</dc:identifier>`,
    `<dc:source>${facts.Source}</dc:source>`,
    `<xmp:CreatorTool>${facts.Software}</xmp:CreatorTool>`,
    facts.Copyright === undefined ? '' : alternatives('dc:rights', facts.Copyright),
    facts.Author === undefined
      ? ''
      : `<dc:creator><rdf:Seq><rdf:li>${escapeXml(facts.Author)}</rdf:li></rdf:Seq></dc:creator>`,
    `<Iptc4xmpExt:DigitalSourceType>${TRAINED}</Iptc4xmpExt:DigitalSourceType>`,
  ];
  return (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    `<rdf:RDF ${NAMESPACES}><rdf:Description rdf:about="">${properties.join('')}` +
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
  );
}

/** https://cv.iptc.org/newscodes/digitalsourcetype/ */
const TRAINED = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';

const NAMESPACES = [
  'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"',
  'xmlns:dc="http://purl.org/dc/elements/1.1/"',
  'xmlns:xmp="http://ns.adobe.com/xap/1.0/"',
  'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"',
].join(' ');
