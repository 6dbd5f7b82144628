/**
 * A large tile of a matrix product in WGSL, for channels that come in fours: a workgroup of 64 lanes makes a square of 64
 * by 64 numbers, each lane 8 by 8 of them. Numbers are moved four at a time, and inner loops are written out: the
 * checks that WebGPU adds to every access of workgroup memory and to every loop then weigh little. What brings the
 * tiles in is the shader's own.
 *
 * @module
 */

import { IN_FOUR } from './program.ts';

/** Side of the square of the output that a workgroup makes. */
export const WIDE_TILE = 64;

/** Terms of the sums that are brought into workgroup memory at a time. */
export const WIDE_DEPTH = 16;

/** Fours of numbers in a row of a tile. */
const FOURS = WIDE_TILE / 4;

/** Terms that are written out in the loop over a tile. */
const WRITTEN_OUT = 4;

const HALVES = [0, 1] as const;

const sumOf = (rowHalf: number, row: number, half: number) => `sum${rowHalf}${row}${half}`;
const eachSum = (line: (rowHalf: number, row: number, half: number) => string): string =>
  HALVES.flatMap((rowHalf) =>
    IN_FOUR.flatMap((_, row) => HALVES.map((half) => line(rowHalf, row, half))),
  ).join('\n');

/** `[WIDE_DEPTH, FOURS]` each: a side of the product, its terms one after the other. */
export const WIDE_TILES = `
  var<workgroup> leftTile : array<vec4<f32>, ${WIDE_DEPTH * FOURS}>;
  var<workgroup> rightTile : array<vec4<f32>, ${WIDE_DEPTH * FOURS}>;
`;

/**
 * `four`: which four rows, or columns, of the tiles a lane brings in; `part`: of which four terms. Neighbouring lanes write
 * neighbouring numbers.
 */
export const BEGIN_WIDE = `
    let lane = i32(localIndex);
    let four = lane % ${FOURS};
    let part = lane / ${FOURS};
    let ofRows = lane / 8;
    let ofColumns = lane % 8;
    ${eachSum((rowHalf, row, half) => `var ${sumOf(rowHalf, row, half)} = vec4<f32>();`)}
`;

/**
 * Writes a lane's four by four numbers into a tile.
 * @param terms names four vectors: of each term its four rows, or columns.
 */
export const writeTerms = (tile: string, terms: (term: number) => string): string =>
  IN_FOUR.map(
    (_, term) => `${tile}[(4 * part + ${term}) * ${FOURS} + four] = ${terms(term)};`,
  ).join('\n');

/** Adds the product of both tiles to the sums, when all lanes have brought their parts in. */
export const ADD_WIDE = `
      workgroupBarrier();
      for (var term = 0; term < ${WIDE_DEPTH}; term += ${WRITTEN_OUT}) {
        ${Array.from({ length: WRITTEN_OUT }, (_, i) => addTerm(i)).join('\n')}
      }
      workgroupBarrier();
`;

function addTerm(i: number): string {
  const load = (name: string, tile: string, lane: string) =>
    HALVES.map(
      (half) => `let ${name}${half} = ${tile}[(term + ${i}) * ${FOURS} + ${lane} + ${8 * half}];`,
    ).join('\n');
  return `{
    ${load('left', 'leftTile', 'ofRows')}
    ${load('right', 'rightTile', 'ofColumns')}
    ${eachSum((rowHalf, row, half) => `${sumOf(rowHalf, row, half)} += left${rowHalf}.${IN_FOUR[row]} * right${half};`)}
  }`;
}

/**
 * Writes the sums into `[…, rows, columns]`, four columns at a time.
 * @param first WGSL of the first row of that matrix in the result.
 */
export const writeWide = (first: string): string => `
    let fours = uniforms.columns / 4;
    ${eachSum((rowHalf, row, half) => {
      const toRow = `i32(workgroupId.y) * ${WIDE_TILE} + ${32 * rowHalf + row} + 4 * ofRows`;
      const toFour = `i32(workgroupId.x) * ${FOURS} + ${8 * half} + ofColumns`;
      return `if (${toRow} < uniforms.rows && ${toFour} < fours) {
        result[(${first} + ${toRow}) * fours + ${toFour}] = ${sumOf(rowHalf, row, half)};
      }`;
    })}`;
