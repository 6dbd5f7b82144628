/**
 * The integer loops against the same sums in plain JavaScript, whose numbers hold every int32 sum exactly.
 */
import { readFileSync } from 'node:fs';
import { createRandom } from '@killme/model';
import { describe, expect, it } from 'vitest';
import { packedPairsLength, packPairs, roundKernel, upsampleKernels } from './pack.ts';

type Loop = (...values: number[]) => number;

const memory = new WebAssembly.Memory({ initial: 64 });
const module = await WebAssembly.compile(readFileSync(new URL('kernels.wasm', import.meta.url)));
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const loops = exports as Record<
  'unitOf' | 'padInteger' | 'convolveInteger' | 'upsampleConvolveInteger',
  Loop
>;

/** `finish` in assembly/finish.ts: bias, no activation. */
const LINEAR = 1;

/** Puts numbers into the memory, one after the other, each from a multiple of 16 on. */
function createPlacer() {
  let next = 16;
  const reserve = (bytes: number) => {
    const address = next;
    next += Math.ceil(bytes / 16) * 16;
    return address;
  };
  const place = (values: Float32Array | Int16Array) => {
    const address = reserve(values.byteLength);
    new Uint8Array(memory.buffer, address).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
    return address;
  };
  return { reserve, place };
}

const padded = (values: Float32Array) => {
  const whole = new Float32Array(Math.ceil(values.length / 8) * 8);
  whole.set(values);
  return whole;
};

const HEIGHT = 3;
const WIDTH = 5;
const random = createRandom('integer loops');

function randomCase(channels: number, outputs: number) {
  const x = random.uniform(HEIGHT * WIDTH * channels).map((value) => 3 * value);
  const kernel = random.uniform(9 * channels * outputs);
  const bias = random.uniform(outputs);
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const unit = Math.fround(largest / 4095);
  const inverse = Math.fround(1 / unit);
  const rounded = x.map((value) => roundToEven(Math.fround(value * inverse)));
  return { x, kernel, bias, unit, rounded };
}

const roundToEven = (value: number) => {
  const down = Math.floor(value);
  const half = value - down;
  return half > 0.5 || (half === 0.5 && down % 2 !== 0) ? down + 1 : down;
};

/** A 3×3 convolution with `same` padding of integers `[height, width, channels]`, as its definition has it. */
function convolve(
  pixel: (row: number, column: number, channel: number) => number,
  { values }: { values: Int16Array },
  { height, width, channels, outputs }: Record<'height' | 'width' | 'channels' | 'outputs', number>,
): Float64Array {
  const sums = new Float64Array(height * width * outputs);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      for (let output = 0; output < outputs; output++)
        for (let tap = 0; tap < 9; tap++)
          for (let channel = 0; channel < channels; channel++) {
            const [r, c] = [row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1];
            if (r < 0 || c < 0 || r >= height || c >= width) continue;
            sums[(row * width + column) * outputs + output]! +=
              pixel(r, c, channel) * values[(tap * channels + channel) * outputs + output]!;
          }
  return sums;
}

/** The sums as float32 with their bias, rounded where the loops round. */
const finish = (sums: Float64Array, scales: Float32Array, unit: number, bias: Float32Array) =>
  Float32Array.from(sums, (sum, i) => {
    const output = i % bias.length;
    return Math.fround(Math.fround(sum) * Math.fround(scales[output]! * unit)) + bias[output]!;
  });

describe('the integer loops', () => {
  it.each([
    [2, 8],
    [6, 3],
    [5, 11],
  ])('sum exactly: a 3×3 convolution of %i channels to %i', (channels, outputs) => {
    const { x, kernel, bias, unit, rounded } = randomCase(channels, outputs);
    const integer = roundKernel(kernel, outputs);
    const { place, reserve } = createPlacer();
    const matrices = [1, 9 * channels, outputs] as const;
    const pairs = new Int16Array(packedPairsLength(matrices, channels));
    packPairs(integer.values, matrices, channels, pairs);
    const pixel = 4 * Math.ceil(channels / 2);
    const row = (WIDTH + 2) * pixel;
    const from = place(x);
    const image = reserve((HEIGHT + 2) * row + 8 * pixel);
    const to = reserve(4 * HEIGHT * WIDTH * outputs);
    expect(loops.unitOf(from, x.length)).toBe(unit);
    loops.padInteger(from, HEIGHT, WIDTH, channels, 1, 1, 1, 1, image, unit);
    loops.convolveInteger(
      ...[image, row, row, pixel, 3, (3 * pixel) / 4, place(pairs)],
      ...[place(padded(bias)), place(padded(new Float32Array(outputs))), LINEAR],
      ...[place(padded(integer.scales)), unit, to, HEIGHT, WIDTH],
      ...[4 * WIDTH * outputs, 4 * outputs, outputs],
    );
    const sums = convolve((r, c, k) => rounded[(r * WIDTH + c) * channels + k]!, integer, {
      height: HEIGHT,
      width: WIDTH,
      channels,
      outputs,
    });
    expect(new Float32Array(memory.buffer, to, sums.length)).toEqual(
      finish(sums, integer.scales, unit, bias),
    );
  });

  it.each([
    [2, 8],
    [6, 3],
    [5, 11],
  ])('sum exactly: upsampling and a 3×3 convolution of %i channels to %i', (channels, outputs) => {
    const { x, kernel, bias, unit, rounded } = randomCase(channels, outputs);
    const integer = roundKernel(kernel, outputs, 9);
    const sumsOfTaps = upsampleKernels(
      integer.values,
      [3, 3, channels, outputs],
      new Int16Array(kernel.length),
    );
    const { place, reserve } = createPlacer();
    const matrices = [9, channels, outputs] as const;
    const pairs = new Int16Array(packedPairsLength(matrices, channels, 8));
    packPairs(sumsOfTaps, matrices, channels, pairs, 8);
    const to = reserve(16 * HEIGHT * WIDTH * outputs);
    const blockRows = 2;
    loops.upsampleConvolveInteger(
      ...[place(x), HEIGHT, WIDTH, channels, place(pairs)],
      ...[place(padded(bias)), place(padded(new Float32Array(outputs))), LINEAR],
      ...[place(padded(integer.scales)), blockRows, reserve(65536), to, outputs],
    );
    const near = (r: number, c: number, k: number) =>
      rounded[((r >> 1) * WIDTH + (c >> 1)) * channels + k]!;
    const sums = convolve(near, integer, {
      height: 2 * HEIGHT,
      width: 2 * WIDTH,
      channels,
      outputs,
    });
    expect(new Float32Array(memory.buffer, to, sums.length)).toEqual(
      finish(sums, integer.scales, unit, bias),
    );
  });

  it('round a kernel to within half a step, its sums within int32 for activations of 4095', () => {
    const kernel = random.uniform(4608 * 3);
    const { values, scales } = roundKernel(kernel, 3);
    const sums = [0, 0, 0];
    values.forEach((value, i) => {
      expect(Math.abs(kernel[i]! - value * scales[i % 3]!)).toBeLessThanOrEqual(
        0.5001 * scales[i % 3]!,
      );
      sums[i % 3]! += Math.abs(value);
    });
    for (const sum of sums) expect(sum * 4095).toBeLessThan(2 ** 31);
  });
});
