/** Field `index` of a plan. */
// @ts-ignore: decorator
@inline export function field(plan: usize, index: i32): i32 {
  return load<i32>(plan + (<usize>index << 2));
}

/** The next work item. */
// @ts-ignore: decorator
@inline export function take(counter: usize): i32 {
  return atomic.add<i32>(counter, 1);
}

// @ts-ignore: decorator
@inline export function min(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

// @ts-ignore: decorator
@inline export function max(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

/**
 * Fields shared by both plans of a convolution.
 * The padded image is what a phase's taps index: image rows begin at padTop, columns at padLeft,
 * `paddedWidth` columns in all, zeros outside.
 */
export const X = 0, HEIGHT = 1, WIDTH = 2, CHANNELS = 3, PAD_TOP = 4, PAD_LEFT = 5;
export const PADDED_WIDTH = 6, STRIDE_H = 7, STRIDE_W = 8, IMAGES = 9, BLOCK_ROWS = 10;
export const GRID_ROWS = 11, EXTENT_H = 12, SCRATCH = 13, SCRATCH_BYTES = 14;
/** The other operand: the output of `convolve`, dy of `convolveGradient`. */
export const Y = 15, Y_CHANNELS = 16, Y_IMAGE = 17;
export const PARTS = 18, PARTIALS = 19, PART_SIZE = 20, PHASES = 21, FIRST_PHASE = 22;

/**
 * Fields of a phase: a grid of positions of y (from Y_START by Y_ROW and Y_COLUMN, ROWS × COLUMNS
 * of them), each of which sees KERNEL_H × KERNEL_W taps of the padded image, from (OFFSET_H,
 * OFFSET_W) plus the stride times its place in the grid. W is the packed kernel of `convolve`,
 * in `convolveGradient` the place of the gradient in a part.
 */
export const KERNEL_H = 0, KERNEL_W = 1, OFFSET_H = 2, OFFSET_W = 3, ROWS = 4, COLUMNS = 5;
export const Y_START = 6, Y_ROW = 7, Y_COLUMN = 8, W = 9, PHASE_FIELDS = 10;
