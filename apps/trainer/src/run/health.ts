/**
 * Whether a run still learns: numbers that are none, and samples that are all one.
 *
 * @module
 */
import { type Picture, UserError } from '@killme/model';
import type { IterationMetrics } from './metrics.ts';

/** Below this many levels of 255 the pictures of a grid are one picture to the eye. */
const SAME_LEVELS = 2;
/** A generator whose images never differed has not collapsed: its grid must have differed this much. */
const DIFFERENT_LEVELS = 8;

/** @throws UserError when a loss is no number any more; the checkpoint before it is kept. */
export function checkFinite(iteration: number, metrics: IterationMetrics): void {
  const bad = Object.entries(metrics).find(([, value]) => !Number.isFinite(value));
  if (bad) throw divergence(`${bad[0]} is ${bad[1]} at iteration ${iteration}`);
}

/** The error that ends a run whose numbers have left the range of float32. */
export function divergence(what: string): UserError {
  return new UserError(
    `training diverged: ${what}; the last checkpoint is kept: start another run with another --seed`,
  );
}

/** Watches the grids of a run for collapse. */
export interface CollapseWatch {
  /** @returns a line for the user when this grid is the first that has collapsed. */
  look(iteration: number, grid: Picture): string | undefined;
}

/** @param options.columns pictures in a row and in a column of the grid */
export function watchForCollapse({ columns }: { columns: number }): CollapseWatch {
  let hasDiffered = false;
  return {
    look(iteration, grid) {
      const levels = diversity(grid, columns);
      if (levels >= DIFFERENT_LEVELS) hasDiffered = true;
      if (!hasDiffered || levels >= SAME_LEVELS) return undefined;
      hasDiffered = false;
      return (
        `collapse: at iteration ${iteration} the samples differ by ${levels.toFixed(1)} levels of 255 ` +
        'only; the checkpoint before it is kept as before-collapse.safetensors'
      );
    },
  };
}

/** How much the pictures of a grid differ: the standard deviation of a pixel over them, on average. */
export function diversity({ width, height, data }: Picture, columns: number): number {
  const [tileWidth, tileHeight] = [width / columns, height / columns];
  let total = 0;
  for (let y = 0; y < tileHeight; y++) {
    for (let x = 0; x < tileWidth * 3; x++) {
      let sum = 0;
      let sumOfSquares = 0;
      for (let tile = 0; tile < columns ** 2; tile++) {
        const row = Math.floor(tile / columns) * tileHeight + y;
        const level = data[row * width * 3 + (tile % columns) * tileWidth * 3 + x]!;
        sum += level;
        sumOfSquares += level * level;
      }
      const mean = sum / columns ** 2;
      total += Math.sqrt(Math.max(0, sumOfSquares / columns ** 2 - mean * mean));
    }
  }
  return total / (tileWidth * tileHeight * 3);
}
