import { quantize } from './quantize';
import { tile4x8, tile8x4 } from './tile';

/** Rows of output worked on with one panel of the kernel: their input stays in the cache. */
const BLOCK_ROWS = 4;

/** An image with a border of zeros: `[top + height + bottom, left + width + right, channels]`. */
export function pad(
  x: usize, height: i32, width: i32, channels: i32, top: i32, bottom: i32, left: i32, right: i32,
  to: usize,
): void {
  const pixel = <usize>channels << 2;
  const row = <usize>width * pixel, whole = row + <usize>(left + right) * pixel;
  memory.fill(to, 0, <usize>top * whole);
  to += <usize>top * whole;
  for (let i = 0; i < height; i++, x += row, to += whole) {
    memory.fill(to, 0, <usize>left * pixel);
    memory.copy(to + <usize>left * pixel, x, row);
    memory.fill(to + <usize>left * pixel + row, 0, <usize>right * pixel);
  }
  memory.fill(to, 0, <usize>bottom * whole);
}

/**
 * The same with the image rounded to int16 as quantize.ts says; channels are filled up to an even number.
 * @param unit of {@link unitOf}
 */
export function padInteger(
  x: usize, height: i32, width: i32, channels: i32, top: i32, bottom: i32, left: i32, right: i32,
  to: usize, unit: f32,
): void {
  const pixel = <usize>(channels + 1 >> 1) << 2;
  const row = <usize>width * pixel, whole = row + <usize>(left + right) * pixel;
  memory.fill(to, 0, <usize>top * whole);
  to += <usize>top * whole;
  for (let i = 0; i < height; i++, x += <usize>(width * channels) << 2, to += whole) {
    memory.fill(to, 0, <usize>left * pixel);
    quantize(x, width, channels, unit, to + <usize>left * pixel);
    memory.fill(to + <usize>left * pixel + row, 0, <usize>right * pixel);
  }
  memory.fill(to, 0, <usize>bottom * whole);
}

/**
 * A convolution of a padded image, or one phase of a larger one: output (i, j) goes to
 * y + i · rowTo + j · pixelTo and sees the taps from x + i · rowStep + j · pixelStep, `kernelH` rows of
 * `run` numbers, `row` apart. All steps in bytes. `kernel` holds panels of 8 output channels, or of 4
 * when there are no more than that.
 */
export function convolve(
  x: usize, row: i32, rowStep: i32, pixelStep: i32, kernelH: i32, run: i32, kernel: usize,
  bias: usize, after: usize, activation: i32,
  y: usize, rows: i32, columns: i32, rowTo: i32, pixelTo: i32, outputs: i32,
): void {
  inTiles<f32>(
    x, row, rowStep, pixelStep, kernelH, run, kernel, bias, after, activation, 0, 1, y, rows, columns,
    rowTo, pixelTo, outputs,
  );
}

/**
 * The same of an image that {@link padInteger} made; the sums are exact in int32.
 * @param run counts pairs of numbers
 * @param scales `[outputs]`, of the kernel of each output channel
 */
export function convolveInteger(
  x: usize, row: i32, rowStep: i32, pixelStep: i32, kernelH: i32, run: i32, kernel: usize,
  bias: usize, after: usize, activation: i32, scales: usize, unit: f32,
  y: usize, rows: i32, columns: i32, rowTo: i32, pixelTo: i32, outputs: i32,
): void {
  inTiles<i16>(
    x, row, rowStep, pixelStep, kernelH, run, kernel, bias, after, activation, scales, unit, y, rows,
    columns, rowTo, pixelTo, outputs,
  );
}

// @ts-ignore: decorator
@inline function inTiles<T>(
  x: usize, row: i32, rowStep: i32, pixelStep: i32, kernelH: i32, run: i32, kernel: usize,
  bias: usize, after: usize, activation: i32, scales: usize, unit: f32,
  y: usize, rows: i32, columns: i32, rowTo: i32, pixelTo: i32, outputs: i32,
): void {
  if (outputs <= 4) {
    for (let i = 0; i < rows; i++, x += rowStep, y += rowTo) {
      for (let j = 0; j < columns; j += 8) {
        tile8x4<T>(
          x + j * pixelStep, pixelStep, kernelH, row, run, kernel, y + j * pixelTo, pixelTo,
          columns - j, outputs, bias, after, activation, scales, unit,
        );
      }
    }
    return;
  }
  const panel = kernelH * run << 5;
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const end = min(first + BLOCK_ROWS, rows);
    let b = kernel;
    for (let n = 0; n < outputs; n += 8, b += panel) {
      for (let i = first; i < end; i++) {
        const from = x + i * rowStep, to = y + i * rowTo + (n << 2);
        for (let j = 0; j < columns; j += 4) {
          tile4x8<T>(
            from + j * pixelStep, pixelStep, kernelH, row, run, b, to + j * pixelTo, pixelTo,
            columns - j, outputs - n, bias + (n << 2), after + (n << 2), activation, scales + (n << 2), unit,
          );
        }
      }
    }
  }
}
