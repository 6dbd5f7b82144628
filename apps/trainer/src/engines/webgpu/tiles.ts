/**
 * A tile of a matrix product in WGSL: a workgroup makes a square of the result out of two tiles in its memory, each
 * lane four by four numbers of it. What brings the tiles in is the shader's own.
 *
 * @module
 */

/** Side of the square of the output that a workgroup makes. */
export const TILE = 32;

/** Terms of the sums that are brought into workgroup memory at a time. */
export const DEPTH = 16;

/** The two tiles, `[DEPTH, TILE]` each: of the left side transposed, and of the right side. */
export const declareTiles = (left: string, right: string): string => `
    var<workgroup> ${left} : array<f32, ${TILE * DEPTH}>;
    var<workgroup> ${right} : array<f32, ${TILE * DEPTH}>;
  `;

/** Where the lane's numbers lie in the square, and `sums`, a row of four each. */
export const BEGIN_SUMS = `
    let tileRow = 4 * (i32(localIndex) / ${TILE / 4});
    let tileColumn = 4 * (i32(localIndex) % ${TILE / 4});
    var sums : array<vec4<f32>, 4>;
`;

/** Adds the product of both tiles to `sums`, when all lanes have brought their parts in. */
export const addTiles = (left: string, right: string): string => `
      workgroupBarrier();
      for (var k = 0; k < ${DEPTH}; k++) {
        let leftAt = k * ${TILE} + tileRow;
        let rightAt = k * ${TILE} + tileColumn;
        let four = vec4<f32>(${[0, 1, 2, 3].map((i) => `${right}[rightAt + ${i}]`).join(', ')});
        for (var i = 0; i < 4; i++) { sums[i] += ${left}[leftAt + i] * four; }
      }
      workgroupBarrier();
`;

/** Writes `sums` into the part of `[chunks, rows, columns]` that is this workgroup's; `columns` is WGSL. */
export const writeSums = (columns: string): string => `
    for (var i = 0; i < 4; i++) {
      let toRow = i32(workgroupId.y) * ${TILE} + tileRow + i;
      for (var j = 0; j < 4; j++) {
        let toColumn = i32(workgroupId.x) * ${TILE} + tileColumn + j;
        if (toRow < uniforms.rows && toColumn < ${columns}) {
          let at = (i32(workgroupId.z) * uniforms.rows + toRow) * ${columns} + toColumn;
          result[at] = sums[i][j];
        }
      }
    }`;
