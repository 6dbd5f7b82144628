import { min, take } from './plan';
import { tile } from './tile';

/** Columns of an item: one line of cache is read whole, and a packed block stays in the cache. */
const BLOCK_COLUMNS = 64;
/** Terms of a sum taken at a time. */
export const BLOCK_TERMS = 1024;
/** Rows of an item, a multiple of 6. */
const BLOCK_ROWS = 3072;

/**
 * C[rows, columns] = A · B over `terms`, A[i, k] at a + i · rowA + k · termA, B[k, j] at
 * b + k · termB + j · columnB. One item is a block of C.
 */
export function multiplyMatrices(
  thread: i32, counter: usize, scratch: usize, scratchBytes: i32, a: usize, rowA: i32, termA: i32,
  b: usize, termB: i32, columnB: i32, c: usize, rows: i32, terms: i32, columns: i32,
): void {
  const across = (columns + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS;
  const items = across * ((rows + BLOCK_ROWS - 1) / BLOCK_ROWS);
  const packed = scratch + <usize>thread * <usize>scratchBytes;
  const am = <usize>rowA << 2, ak = <usize>termA << 2, ldc = <usize>columns << 2;
  for (let item = take(counter); item < items; item = take(counter)) {
    const j0 = (item % across) * BLOCK_COLUMNS, i0 = (item / across) * BLOCK_ROWS;
    const width = min(BLOCK_COLUMNS, columns - j0), end = min(i0 + BLOCK_ROWS, rows);
    for (let k0 = 0; k0 < terms; k0 += BLOCK_TERMS) {
      const depth = min(BLOCK_TERMS, terms - k0);
      pack(b + (<usize>(k0 * termB + j0 * columnB) << 2), termB, columnB, depth, width, packed);
      for (let i = i0; i < end; i += 6) {
        const from = a + <usize>i * am + <usize>k0 * ak;
        const to = c + <usize>i * ldc + (<usize>j0 << 2);
        // A whole tile would read behind the end of A, and the memory may end there.
        const steps = end - i >= 6 ? 1 : end - i;
        for (let j = 0; j < width; j += 8) {
          const panel = packed + (<usize>(j * depth) << 2);
          for (let s = 0; s < steps; s++) {
            tile(
              from + <usize>s * am, steps > 1 || end - i == 1 ? 0 : am, ak, 1, 0, depth, panel,
              to + <usize>s * ldc + (<usize>j << 2), ldc, end - i >= 6 ? 6 : 1, width - j, k0 > 0,
            );
          }
        }
      }
    }
  }
}

function pack(from: usize, term: i32, column: i32, depth: i32, width: i32, packed: usize): void {
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < width; j += 8) {
      const to = packed + (<usize>(j * depth + (k << 3)) << 2);
      const at = from + (<usize>(k * term + j * column) << 2);
      if (column == 1 && j + 8 <= width) {
        v128.store(to, v128.load(at));
        v128.store(to, v128.load(at, 16), 16);
      } else {
        for (let i = 0; i < 8; i++) {
          const value: f32 = j + i < width ? load<f32>(at + (<usize>(i * column) << 2)) : 0;
          store<f32>(to + (<usize>i << 2), value);
        }
      }
    }
  }
}
