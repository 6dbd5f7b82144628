import { describe, expect, it } from 'vitest';
import { crc32c, encodeEvent, frameRecord, histogramOf } from './tensorboard-events.ts';

const ascii = (text: string) => new TextEncoder().encode(text);
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');

describe('crc32c', () => {
  it.each([
    ['32 bytes of zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['"123456789"', ascii('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(0), 0],
  ])('of %s is that of RFC 3720', (_, data, crc) => {
    expect(crc32c(data)).toBe(crc);
  });
});

describe('frameRecord', () => {
  // from tensorboard 2.21: RecordWriter(file).write(b'hello')
  it('is byte for byte what TensorBoard’s RecordWriter writes', () => {
    expect(hex(frameRecord(ascii('hello')))).toBe('0500000000000000eab2043e68656c6c6fbb1f1c19');
  });
});

describe('encodeEvent', () => {
  // from tensorboard 2.21: Event(...).SerializeToString().hex() with the fields given here
  it('writes the head of a file', () => {
    expect(hex(encodeEvent(1.5, 4, { fileVersion: 'brain.Event:2' }))).toBe(
      '09000000000000f83f10041a0d627261696e2e4576656e743a32',
    );
  });

  it('writes scalars, at steps beyond 32 bits too', () => {
    const summary = [{ tag: 'loss/generator', scalar: 0.75 }];
    expect(hex(encodeEvent(1.5, 2 ** 33 + 5, { summary }))).toBe(
      '09000000000000f83f1085808080202a170a150a0e6c6f73732f67656e657261746f72150000403f',
    );
  });

  it('writes pictures', () => {
    const picture = { width: 640, height: 128, png: Uint8Array.of(1, 2, 3) };
    expect(hex(encodeEvent(1.5, 7, { summary: [{ tag: 'samples/strip', picture }] }))).toBe(
      '09000000000000f83f10072a200a1e0a0d73616d706c65732f7374726970220d08800110800518032203010203',
    );
  });

  it('writes histograms', () => {
    const histogram = histogramOf(Float32Array.of(-1, 2, 3), 2);
    expect(hex(encodeEvent(1.5, 7, { summary: [{ tag: 'latents/drawn', histogram }] }))).toBe(
      '09000000000000f83f10072a640a620a0d6c6174656e74732f647261776e2a5109000000000000f0bf110000000000000840190000000000000840210000000000001040290000000000002c403210000000000000f03f00000000000008403a10000000000000f03f0000000000000040',
    );
  });
});

describe('histogramOf', () => {
  it('counts each value once, the largest in the last bucket', () => {
    expect(histogramOf(Float32Array.of(0, 0.5, 1, 1.5, 2), 4)).toEqual({
      min: 0,
      max: 2,
      count: 5,
      sum: 5,
      sumOfSquares: 7.5,
      limits: [0.5, 1, 1.5, 2],
      counts: [1, 1, 1, 2],
    });
  });

  it('has one bucket where all values are equal', () => {
    expect(histogramOf(Float32Array.of(3, 3))).toMatchObject({ limits: [3], counts: [2] });
  });

  it('refuses what is no number, and nothing at all', () => {
    expect(() => histogramOf(Float32Array.of(1, Number.NaN))).toThrow('no finite values');
    expect(() => histogramOf(new Float32Array(0))).toThrow('no finite values');
  });
});
