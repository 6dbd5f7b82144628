/**
 * Matrix products whose sum is split over workgroups, added up in a fixed order.
 *
 * tfjs's MatMulSplitKProgram, which it takes for small outputs of long sums (2,000 terms and more), adds the parts
 * with atomics, in whatever order they are ready: two runs then differ in the last bits.
 *
 * @module
 */
import { product } from '@killme/model';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { columnSums } from './columns.ts';
import { i32, LANES, runWorkgroups, type Shader, type WebGPUBackend } from './program.ts';
import { addTiles, BEGIN_SUMS, DEPTH, declareTiles, TILE, writeSums } from './tiles.ts';

/** Terms of a workgroup's sums, at least. */
const LEAST_TERMS = 128;
/** Workgroups that fill a large GPU. */
const WORKGROUPS = 512;

/** `[chunks, rows, columns]`: each chunk has `uniforms.chunk` terms of the sums. */
const PARTIAL_PRODUCTS: Shader = {
  name: 'partialProducts',
  declarations: declareTiles('aTile', 'bTile'),
  body: `
    let lane = i32(localIndex);
    let firstRow = i32(workgroupId.y) * ${TILE};
    let firstColumn = i32(workgroupId.x) * ${TILE};
    let begin = i32(workgroupId.z) * uniforms.chunk;
    let end = min(begin + uniforms.chunk, uniforms.terms);
    ${BEGIN_SUMS}

    for (var done = begin; done < end; done += ${DEPTH}) {
      for (var i = lane; i < ${TILE * DEPTH}; i += ${LANES}) {
        // Neighbouring lanes read neighbouring numbers, whichever side is transposed.
        let aAt = select(vec2(i / ${DEPTH}, i % ${DEPTH}), vec2(i % ${TILE}, i / ${TILE}), uniforms.aTransposed == 1);
        let bAt = select(vec2(i % ${TILE}, i / ${TILE}), vec2(i / ${DEPTH}, i % ${DEPTH}), uniforms.bTransposed == 1);
        let row = firstRow + aAt.x;
        let column = firstColumn + bAt.x;
        let aTerm = done + aAt.y;
        let bTerm = done + bAt.y;
        var left = 0.0;
        var right = 0.0;
        if (row < uniforms.rows && aTerm < end) {
          left = a[select(row * uniforms.terms + aTerm, aTerm * uniforms.rows + row, uniforms.aTransposed == 1)];
        }
        if (column < uniforms.columns && bTerm < end) {
          right = b[select(bTerm * uniforms.columns + column, column * uniforms.terms + bTerm, uniforms.bTransposed == 1)];
        }
        aTile[aAt.y * ${TILE} + aAt.x] = left;
        bTile[bAt.y * ${TILE} + bAt.x] = right;
      }
      ${addTiles('aTile', 'bTile')}
    }

    ${writeSums('uniforms.columns')}`,
};

interface Product {
  a: TensorInfo;
  b: TensorInfo;
  transposeA: boolean;
  transposeB: boolean;
  rows: number;
  columns: number;
}

/** `[rows, columns]`, of `a` `[rows, terms]` and `b` `[terms, columns]`, each the other way round where transposed. */
function splitProduct(backend: WebGPUBackend, sides: Product): TensorInfo {
  const { a, b, transposeA, transposeB, rows, columns } = sides;
  const terms = product(a.shape) / rows;
  const [across, down] = [Math.ceil(columns / TILE), Math.ceil(rows / TILE)];
  const most = Math.min(Math.ceil(terms / LEAST_TERMS), Math.ceil(WORKGROUPS / (across * down)));
  const chunk = DEPTH * Math.ceil(terms / most / DEPTH);
  const chunks = Math.ceil(terms / chunk);
  const partial = runWorkgroups(backend, PARTIAL_PRODUCTS, {
    inputs: { a, b },
    shape: [chunks, rows * columns],
    uniforms: i32({
      ...{ rows, columns, terms, chunk },
      aTransposed: Number(transposeA),
      bTransposed: Number(transposeB),
    }),
    workgroups: [across, down, chunks],
  });
  const sum = columnSums(backend, partial);
  backend.disposeData(partial.dataId);
  return { ...sum, shape: [rows, columns] };
}

/** tfjs's program, as it is given to its backend: the output is there already, full of zeros. */
interface SplitProgram {
  outputShape: number[];
  transposeA: boolean;
  transposeB: boolean;
}

const isSplit = (program: object): program is SplitProgram => 'splitedDimInner' in program;

/**
 * Takes our product wherever tfjs takes MatMulSplitKProgram: in matrix products, and in convolutions that it
 * computes as such.
 */
export function orderSplitProducts(backend: WebGPUBackend): void {
  const run = backend.runWebGPUProgram.bind(backend);
  backend.runWebGPUProgram = (program, inputs, dtype, uniforms, output) => {
    if (!isSplit(program)) return run(program, inputs, dtype, uniforms, output);
    const [a, b] = inputs as [TensorInfo, TensorInfo];
    const { outputShape, transposeA, transposeB } = program;
    const [, rows, columns] = outputShape as [number, number, number];
    const sum = splitProduct(backend, { a, b, transposeA, transposeB, rows, columns });
    if (output) backend.disposeData(output.dataId);
    return { ...sum, shape: outputShape };
  };
}
