import type * as tf from '@tensorflow/tfjs-core';
import type { Heap } from './heap.ts';

/** Bytes that the loop packs at a time: BLOCK_TERMS × BLOCK_COLUMNS of simd/assembly/matmul.ts. */
const PACKED_BYTES = 1024 * 64 * 4;

/** a · b for one pair of float32 matrices, either of them transposed; undefined for batches. */
export function matMul(
  heap: Heap,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): tf.TensorInfo | undefined {
  const batched = [a, b].some(({ shape }) => shape.slice(0, -2).some((length) => length !== 1));
  if (batched || a.dtype !== 'float32' || b.dtype !== 'float32') return undefined;
  const left = stridesOf(a, transposeA);
  const right = stridesOf(b, transposeB);
  const outer = a.shape.length > b.shape.length ? a.shape : b.shape;
  const c = heap.output([...outer.slice(0, -2), left.rows, right.columns]);
  const scratch = heap.reserve('scratch', PACKED_BYTES * heap.threads.count);
  heap.threads.run(
    'multiplyMatrices',
    ...[scratch, PACKED_BYTES],
    ...[heap.address(a), left.row, left.column],
    ...[heap.address(b), right.row, right.column],
    ...[heap.address(c), left.rows, left.columns, right.columns],
  );
  return c;
}

/** Rows and columns of a matrix as it is used, and the steps from one to the next in memory. */
function stridesOf({ shape }: tf.TensorInfo, transposed: boolean) {
  const [height, width] = shape.slice(-2) as [number, number];
  return transposed
    ? { rows: width, columns: height, row: 1, column: width }
    : { rows: height, columns: width, row: width, column: 1 };
}
