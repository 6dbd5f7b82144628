/**
 * TensorBoard's event files. A file is a sequence of TFRecords, each with one `Event` message
 * (tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto). protobufjs encodes the
 * messages; the records are written here, since no npm package that writes them is maintained and
 * tfjs's own writer needs its native binding.
 *
 * @module
 */
import protobuf from 'protobufjs';

/** The fields that are written, with their numbers. */
const SCHEMA = `
syntax = "proto3";
message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what {
    string file_version = 3;
    Summary summary = 5;
    SessionLog session_log = 7;
  }
}
message SessionLog { int32 status = 1; }
message Summary { repeated Value value = 1; }
message Value {
  string tag = 1;
  oneof value {
    float simple_value = 2;
    Image image = 4;
    HistogramProto histo = 5;
  }
}
message Image {
  int32 height = 1;
  int32 width = 2;
  int32 colorspace = 3;
  bytes encoded_image_string = 4;
}
message HistogramProto {
  double min = 1;
  double max = 2;
  double num = 3;
  double sum = 4;
  double sum_squares = 5;
  repeated double bucket_limit = 6;
  repeated double bucket = 7;
}
`;

const EVENT = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('Event');

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
  return EVENT.encode({ wall_time: wallSeconds, step, ...eventContent(content) }).finish();
}

function eventContent(content: EventContent): object {
  if ('fileVersion' in content) return { file_version: content.fileVersion };
  if ('sessionStart' in content) return { session_log: { status: SESSION_START } };
  return { summary: { value: content.summary.map(summaryValue) } };
}

function summaryValue(value: SummaryValue): object {
  const { tag } = value;
  if ('scalar' in value) return { tag, simple_value: value.scalar };
  if ('picture' in value) {
    const { width, height, png } = value.picture;
    return { tag, image: { height, width, colorspace: RGB, encoded_image_string: png } };
  }
  const { min, max, count, sum, sumOfSquares, limits, counts } = value.histogram;
  const sums = { num: count, sum, sum_squares: sumOfSquares };
  return { tag, histo: { min, max, ...sums, bucket_limit: limits, bucket: counts } };
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
