import {
  BLOCK_ROWS, CHANNELS, COLUMNS, EXTENT_H, FIRST_PHASE, field, GRID_ROWS, HEIGHT, IMAGES, KERNEL_H,
  KERNEL_W, min, OFFSET_H, OFFSET_W, PAD_LEFT, PAD_TOP, PADDED_WIDTH, PARTIALS, PART_SIZE, PARTS,
  PHASE_FIELDS, PHASES, ROWS, SCRATCH, SCRATCH_BYTES, STRIDE_H, STRIDE_W, take, W, WIDTH, X, Y,
  Y_CHANNELS, Y_COLUMN, Y_IMAGE, Y_ROW, Y_START,
} from './plan';
import { tile } from './tile';

/**
 * The gradient of a convolution to its kernel: w = Σ over positions of x · dy.
 * One item is a part, a fixed share of all blocks of grid rows, summed in a place of its own;
 * `sumParts` adds the parts in their order.
 */
export function convolveGradient(thread: i32, counter: usize, plan: usize): void {
  const blockRows = field(plan, BLOCK_ROWS), gridRows = field(plan, GRID_ROWS);
  const perImage = (gridRows + blockRows - 1) / blockRows;
  const blocks = field(plan, IMAGES) * perImage;
  const parts = field(plan, PARTS), size = <usize>field(plan, PART_SIZE) << 2;
  const xPanels = <usize>field(plan, SCRATCH) + <usize>thread * <usize>field(plan, SCRATCH_BYTES);
  for (let part = take(counter); part < parts; part = take(counter)) {
    const partial = <usize>field(plan, PARTIALS) + <usize>part * size;
    memory.fill(partial, 0, size);
    const end = blocks * (part + 1) / parts;
    for (let block = blocks * part / parts; block < end; block++) {
      const image = block / perImage;
      const first = (block % perImage) * blockRows;
      const rows = min(blockRows, gridRows - first);
      const dyPanels = packImage(plan, image, first, rows, xPanels);
      for (let p = 0; p < field(plan, PHASES); p++) {
        const phase = plan + <usize>((FIRST_PHASE + p * PHASE_FIELDS) << 2);
        const phaseRows = min(rows, field(phase, ROWS) - first);
        if (phaseRows <= 0) continue;
        packGradient(plan, phase, image, first, phaseRows, dyPanels);
        addPhase(plan, phase, rows, phaseRows, xPanels, dyPanels, partial);
      }
    }
  }
}

function addPhase(
  plan: usize, phase: usize, blockRows: i32, rows: i32, xPanels: usize, dyPanels: usize,
  partial: usize,
): void {
  const channels = field(plan, CHANNELS), outputs = field(plan, Y_CHANNELS);
  const kernelH = field(phase, KERNEL_H), kernelW = field(phase, KERNEL_W);
  const columns = field(phase, COLUMNS);
  const paddedWidth = field(plan, PADDED_WIDTH);
  const strideH = field(plan, STRIDE_H), strideW = field(plan, STRIDE_W);
  const xRows = (blockRows - 1) * strideH + field(plan, EXTENT_H);
  const xPanel = <usize>(xRows * paddedWidth) * 24, dyPanel = <usize>(rows * columns) << 5;
  const w = partial + (<usize>field(phase, W) << 2);
  for (let c = 0; c < channels; c += 6, xPanels += xPanel) {
    for (let h = 0; h < kernelH; h++) {
      for (let v = 0; v < kernelW; v++) {
        const place = (field(phase, OFFSET_H) + h) * paddedWidth + field(phase, OFFSET_W) + v;
        const a = xPanels + <usize>place * 24;
        const to = w + (<usize>(((h * kernelW + v) * channels + c) * outputs) << 2);
        let b = dyPanels;
        for (let n = 0; n < outputs; n += 8, b += dyPanel) {
          tile(
            a, 4, <usize>strideW * 24, rows, <usize>(strideH * paddedWidth) * 24, columns, b,
            to + (<usize>n << 2), <usize>outputs << 2, channels - c, outputs - n, true,
          );
        }
      }
    }
  }
}

/**
 * The rows of the padded image that `rows` grid rows see, in panels of 6 channels.
 * @returns the end of the last panel.
 */
function packImage(plan: usize, image: i32, first: i32, rows: i32, to: usize): usize {
  const height = field(plan, HEIGHT), width = field(plan, WIDTH), channels = field(plan, CHANNELS);
  const padLeft = field(plan, PAD_LEFT), paddedWidth = field(plan, PADDED_WIDTH);
  const top = first * field(plan, STRIDE_H) - field(plan, PAD_TOP);
  const count = (rows - 1) * field(plan, STRIDE_H) + field(plan, EXTENT_H);
  const pixel = <usize>channels << 2;
  const x = <usize>field(plan, X) + <usize>(image * height * width) * pixel;
  for (let c = 0; c < channels; c += 6) {
    const whole = c + 6 <= channels;
    for (let r = top; r < top + count; r++) {
      for (let v = -padLeft; v < paddedWidth - padLeft; v++, to += 24) {
        if (r < 0 || r >= height || v < 0 || v >= width) {
          memory.fill(to, 0, 24);
          continue;
        }
        const from = x + <usize>(r * width + v) * pixel + (<usize>c << 2);
        if (whole) {
          v128.store(to, v128.load(from));
          store<i64>(to, load<i64>(from, 16), 16);
        } else {
          for (let i = 0; i < 6; i++) {
            store<f32>(to + (i << 2), c + i < channels ? load<f32>(from + (i << 2)) : 0);
          }
        }
      }
    }
  }
  return to;
}

/** The rows of dy that belong to a phase, in panels of 8 channels. */
function packGradient(
  plan: usize, phase: usize, image: i32, first: i32, rows: i32, to: usize,
): void {
  const outputs = field(plan, Y_CHANNELS), columns = field(phase, COLUMNS);
  const yRow = field(phase, Y_ROW), yColumn = field(phase, Y_COLUMN);
  const start = image * field(plan, Y_IMAGE) + field(phase, Y_START) + first * yRow;
  for (let n = 0; n < outputs; n += 8) {
    for (let r = 0; r < rows; r++) {
      let from = <usize>field(plan, Y) + (<usize>(start + r * yRow + n) << 2);
      for (let v = 0; v < columns; v++, from += <usize>yColumn << 2, to += 32) {
        if (n + 8 <= outputs) {
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
        } else {
          for (let i = 0; i < 8; i++) {
            store<f32>(to + (i << 2), n + i < outputs ? load<f32>(from + (i << 2)) : 0);
          }
        }
      }
    }
  }
}

/** target = part₀ + part₁ + …, in this order. */
export function sumParts(parts: i32, size: i32, partials: usize, target: usize): void {
  for (let i = 0; i < size; i++) {
    let sum: f32 = 0;
    for (let part = 0; part < parts; part++) {
      sum += load<f32>(partials + (<usize>(part * size + i) << 2));
    }
    store<f32>(target + (<usize>i << 2), sum);
  }
}
