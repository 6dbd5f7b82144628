import type { QualityHistory, RunQuality } from './quality-file.ts';

/**
 * Follows the figure by which checkpoints are compared: `parts`, the lower the better. Between measurements of one run it
 * varies less than it improves; rKID of 256 images varies by 0.04, more than one checkpoint differs from the next.
 */
export interface BestWatch {
  /** @returns whether the images of an iteration are the best so far. */
  look(iteration: number, scores: Pick<RunQuality, 'parts'>): boolean;
  /** Whether the figure has not improved for as long as the run's patience, by its last measurement. */
  isOver(): boolean;
}

/**
 * @param history what was measured before; a resumed run goes on with it.
 * @param options.patience iterations; 0 never ends a run.
 * @param options.from the iteration from which patience counts: a warm-up is not ended.
 */
export function watchBest(
  history: Pick<QualityHistory, 'iteration' | 'parts'>,
  { patience, from }: { patience: number; from: number },
): BestWatch {
  let best = { iteration: 0, parts: Number.POSITIVE_INFINITY };
  let last = 0;
  const look: BestWatch['look'] = (iteration, { parts }) => {
    last = iteration;
    const isBest = parts < best.parts;
    if (isBest) best = { iteration, parts };
    return isBest;
  };
  for (const [i, iteration] of history.iteration.entries()) {
    look(iteration, { parts: history.parts[i]! });
  }
  return {
    look,
    isOver: () => patience > 0 && last - Math.max(best.iteration, from) >= patience,
  };
}
