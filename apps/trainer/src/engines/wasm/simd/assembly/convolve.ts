import {
  BLOCK_ROWS, CHANNELS, COLUMNS, EXTENT_H, FIRST_PHASE, field, GRID_ROWS, HEIGHT, IMAGES, KERNEL_H,
  KERNEL_W, min, OFFSET_H, OFFSET_W, PAD_LEFT, PAD_TOP, PADDED_WIDTH, PHASE_FIELDS, PHASES, ROWS,
  SCRATCH, SCRATCH_BYTES, STRIDE_H, STRIDE_W, take, W, WIDTH, X, Y, Y_CHANNELS, Y_COLUMN, Y_IMAGE,
  Y_ROW, Y_START,
} from './plan';
import { tile } from './tile';

/**
 * Puts a kernel into the order in which `tile` reads it: panels of 8 output channels, the rest of
 * the last one zero. Strides in numbers, may be negative (a flipped kernel).
 */
export function packPanels(
  source: usize, kernelH: i32, kernelW: i32, channels: i32, outputs: i32,
  strideH: i32, strideW: i32, strideC: i32, strideN: i32, target: usize,
): void {
  for (let n0 = 0; n0 < outputs; n0 += 8) {
    for (let h = 0; h < kernelH; h++) {
      for (let w = 0; w < kernelW; w++) {
        for (let c = 0; c < channels; c++) {
          const from = h * strideH + w * strideW + c * strideC + n0 * strideN;
          for (let n = 0; n < 8; n++) {
            const inside = n0 + n < outputs;
            store<f32>(target, inside ? load<f32>(source + <usize>((from + n * strideN) << 2)) : 0);
            target += 4;
          }
        }
      }
    }
  }
}

/**
 * A convolution, or several of the same image (phases): y = Σ taps x · w.
 * One item is a block of grid rows of one image: its input rows are copied, padded, into the
 * thread's scratch memory, where each row of taps is one run of numbers; no im2col is needed.
 */
export function convolve(thread: i32, counter: usize, plan: usize): void {
  const blockRows = field(plan, BLOCK_ROWS), gridRows = field(plan, GRID_ROWS);
  const blocks = (gridRows + blockRows - 1) / blockRows;
  const items = field(plan, IMAGES) * blocks;
  const scratch = <usize>field(plan, SCRATCH) + <usize>thread * <usize>field(plan, SCRATCH_BYTES);
  for (let item = take(counter); item < items; item = take(counter)) {
    const image = item / blocks;
    const first = (item % blocks) * blockRows;
    copyPadded(plan, image, first, min(blockRows, gridRows - first), scratch);
    for (let p = 0; p < field(plan, PHASES); p++) {
      const phase = plan + <usize>((FIRST_PHASE + p * PHASE_FIELDS) << 2);
      convolvePhase(plan, phase, image, first, scratch);
    }
  }
}

function convolvePhase(plan: usize, phase: usize, image: i32, first: i32, scratch: usize): void {
  const channels = field(plan, CHANNELS), outputs = field(plan, Y_CHANNELS);
  const kernelH = field(phase, KERNEL_H), run = field(phase, KERNEL_W) * channels;
  const columns = field(phase, COLUMNS);
  const end = min(first + field(plan, BLOCK_ROWS), field(phase, ROWS));
  const rowBytes = <usize>(field(plan, PADDED_WIDTH) * channels) << 2;
  const step = <usize>(field(plan, STRIDE_W) * channels) << 2;
  const panelBytes = <usize>(kernelH * run) << 5;
  const a = scratch + <usize>field(phase, OFFSET_H) * rowBytes
    + (<usize>(field(phase, OFFSET_W) * channels) << 2);
  const y = <usize>field(plan, Y)
    + (<usize>(image * field(plan, Y_IMAGE) + field(phase, Y_START)) << 2);
  const yRow = <usize>field(phase, Y_ROW) << 2, yColumn = <usize>field(phase, Y_COLUMN) << 2;
  const strideH = <usize>field(plan, STRIDE_H);
  let panel = <usize>field(phase, W);
  for (let n = 0; n < outputs; n += 8, panel += panelBytes) {
    for (let row = first; row < end; row++) {
      const from = a + <usize>(row - first) * strideH * rowBytes;
      const to = y + <usize>row * yRow + (<usize>n << 2);
      for (let column = 0; column < columns; column += 6) {
        tile(
          from + <usize>column * step, step, 4, kernelH, rowBytes, run, panel,
          to + <usize>column * yColumn, yColumn, columns - column, outputs - n, false,
        );
      }
    }
  }
}

/** The rows of the padded image that `rows` grid rows see. */
function copyPadded(plan: usize, image: i32, first: i32, rows: i32, to: usize): void {
  const height = field(plan, HEIGHT), channels = field(plan, CHANNELS);
  const paddedWidth = field(plan, PADDED_WIDTH), padLeft = field(plan, PAD_LEFT);
  const width = min(field(plan, WIDTH), paddedWidth - padLeft);
  const top = first * field(plan, STRIDE_H) - field(plan, PAD_TOP);
  const count = (rows - 1) * field(plan, STRIDE_H) + field(plan, EXTENT_H);
  const xRow = <usize>(field(plan, WIDTH) * channels) << 2;
  const x = <usize>field(plan, X) + <usize>(image * height) * xRow;
  const before = <usize>(padLeft * channels) << 2, bytes = <usize>(width * channels) << 2;
  const after = (<usize>(paddedWidth * channels) << 2) - before - bytes;
  for (let r = top; r < top + count; r++) {
    if (r < 0 || r >= height) {
      memory.fill(to, 0, before + bytes + after);
    } else {
      memory.fill(to, 0, before);
      memory.copy(to + before, x + <usize>r * xRow, bytes);
      memory.fill(to + before + bytes, 0, after);
    }
    to += before + bytes + after;
  }
}
