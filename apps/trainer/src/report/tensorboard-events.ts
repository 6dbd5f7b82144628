/**
 * The format of TensorBoard's event files, written by hand: no npm package that writes them is kept
 * alive, and tfjs's own writer needs its native binding. A file is a row of TFRecords, each with one
 * `Event` message (tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto); of
 * these only the fields used here are known.
 *
 * @module
 */

/** A histogram with buckets of any width; `limits` are their upper ends. */
export interface Histogram {
  min: number;
  max: number;
  count: number;
  sum: number;
  sumOfSquares: number;
  limits: number[];
  counts: number[];
}

/** A picture as an encoded PNG. */
export interface EncodedPicture {
  width: number;
  height: number;
  png: Uint8Array;
}

/** One thing to show; TensorBoard groups tags by what stands before their `/`. */
export type SummaryValue = { tag: string } & (
  | { scalar: number }
  | { picture: EncodedPicture }
  | { histogram: Histogram }
);

/** What an event carries: the head of a file, the start of a session, or things to show. */
export type EventContent =
  | { fileVersion: string }
  | { sessionStart: true }
  | { summary: readonly SummaryValue[] };

const RGB = 3;
const SESSION_START = 1;

/** An `Event` message. */
export function encodeEvent(wallSeconds: number, step: number, content: EventContent): Uint8Array {
  return message(double(1, wallSeconds), varint(2, step), eventContent(content));
}

function eventContent(content: EventContent): Uint8Array {
  if ('fileVersion' in content) return text(3, content.fileVersion);
  if ('sessionStart' in content) return bytes(7, varint(1, SESSION_START));
  return bytes(5, message(...content.summary.map((value) => bytes(1, summaryValue(value)))));
}

function summaryValue(value: SummaryValue): Uint8Array {
  const tag = text(1, value.tag);
  if ('scalar' in value) return message(tag, float(2, value.scalar));
  if ('picture' in value) return message(tag, bytes(4, pictureMessage(value.picture)));
  return message(tag, bytes(5, histogramMessage(value.histogram)));
}

function pictureMessage({ width, height, png }: EncodedPicture): Uint8Array {
  return message(varint(1, height), varint(2, width), varint(3, RGB), bytes(4, png));
}

function histogramMessage(histogram: Histogram): Uint8Array {
  return message(
    double(1, histogram.min),
    double(2, histogram.max),
    double(3, histogram.count),
    double(4, histogram.sum),
    double(5, histogram.sumOfSquares),
    bytes(6, doubles(histogram.limits)),
    bytes(7, doubles(histogram.counts)),
  );
}

/**
 * Sorts values into buckets of equal width between the smallest and the largest.
 * @throws Error when there is none, or one is no number.
 */
export function histogramOf(values: Float32Array, buckets = 64): Histogram {
  let [min, max, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sumOfSquares += value * value;
  }
  if (!Number.isFinite(sum) || values.length === 0) throw new Error('no finite values to count');
  const width = (max - min) / buckets;
  if (width === 0) {
    const count = values.length;
    return { min, max, count, sum, sumOfSquares, limits: [max], counts: [count] };
  }
  const counts = new Array<number>(buckets).fill(0);
  for (const value of values) counts[Math.min(buckets - 1, Math.floor((value - min) / width))]!++;
  const limits = counts.map((_, i) => (i === buckets - 1 ? max : min + (i + 1) * width));
  return { min, max, count: values.length, sum, sumOfSquares, limits, counts };
}

// TFRecord: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details

/** Length (8 bytes), its masked CRC (4), data, the data's masked CRC (4); all little-endian. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskCrc(crc32c(record.subarray(0, 8))), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskCrc(crc32c(data)), true);
  return record;
}

/** A CRC stored beside its data is masked, so that a CRC of data with CRCs in it stays a good one. */
const maskCrc = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

/** CRC-32C (Castagnoli), RFC 3720 appendix B.4. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const REVERSED_CASTAGNOLI = 0x82f63b78;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? REVERSED_CASTAGNOLI : 0);
  return crc;
});

// Protocol buffers: https://protobuf.dev/programming-guides/encoding/

const WIRE = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

const key = (field: number, wire: number) => (field << 3) | wire;

function varint(field: number, value: number): Uint8Array {
  return Uint8Array.of(key(field, WIRE.varint), ...varintBytes(value));
}

/** @param value a natural number; above 2³¹ bit operations would cut it off, so none are used. */
function varintBytes(value: number): number[] {
  const groups = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) groups.push((rest % 128) | 0x80);
  return [...groups, rest];
}

function double(field: number, value: number): Uint8Array {
  return message(Uint8Array.of(key(field, WIRE.fixed64)), doubles([value]));
}

function float(field: number, value: number): Uint8Array {
  const encoded = new DataView(new ArrayBuffer(5));
  encoded.setUint8(0, key(field, WIRE.fixed32));
  encoded.setFloat32(1, value, true);
  return new Uint8Array(encoded.buffer);
}

function doubles(values: readonly number[]): Uint8Array {
  const encoded = new DataView(new ArrayBuffer(8 * values.length));
  for (const [i, value] of values.entries()) encoded.setFloat64(8 * i, value, true);
  return new Uint8Array(encoded.buffer);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  const head = [key(field, WIRE.lengthDelimited), ...varintBytes(value.length)];
  return message(Uint8Array.from(head), value);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}

function message(...fields: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields));
}
