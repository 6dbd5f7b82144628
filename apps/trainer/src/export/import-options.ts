/**
 * What a file of another program does not say: options of `import` and what is taken without them.
 *
 * @module
 */
import { type LatentSpace, UserError, type ValueRange } from '@killme/model';

/** What latents are sampled from. */
export type Latents = Pick<LatentSpace, 'distribution' | 'mean' | 'deviation'>;

const NORMAL = /^normal\(\s*(-?[\d.]+(?:e-?\d+)?)\s*,\s*([\d.]+(?:e-?\d+)?)\s*\)$/;

/**
 * Reads `--latents`: uniform, uniform01, normal or normal(mean,sd).
 * @throws UserError
 */
export function parseLatents(text: string): Latents {
  if (text === 'uniform' || text === 'uniform01' || text === 'normal')
    return { distribution: text };
  const [, mean, deviation] = NORMAL.exec(text)?.map(Number) ?? [];
  if (mean === undefined || deviation === undefined || !(deviation > 0)) {
    throw new UserError(
      `--latents must be uniform, uniform01, normal or normal(mean,sd), not "${text}"`,
    );
  }
  return { distribution: 'normal', mean, deviation };
}

export const describeLatents = ({ distribution, mean = 0, deviation = 1 }: Latents): string =>
  ({
    uniform: 'uniform in [-1, 1)',
    uniform01: 'uniform in [0, 1)',
    normal: `normal with mean ${mean} and standard deviation ${deviation}`,
  })[distribution];

/**
 * Reads `--range`: two numbers with two points between them.
 * @throws UserError
 */
export function parseRange(text: string): ValueRange {
  const [, low, high] = /^(-?[\d.]+)\.\.(-?[\d.]+)$/.exec(text)?.map(Number) ?? [];
  if (low === undefined || high === undefined || !(low < high)) {
    throw new UserError(`--range must be like -1..1, 0..1 or 0..255, not "${text}"`);
  }
  return [low, high];
}

/** The usual range that values lie in: most of them, since a few of an output without bounds stray. */
export function rangeOfValues(values: Float32Array): ValueRange {
  const sorted = values.toSorted();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const [low, high] = [at(0.01), at(0.99)];
  if (high > 8) return [0, 255];
  return low < -0.2 ? [-1, 1] : [0, 1];
}

/** What the output of a generator is measured on. */
export const MEASURED_LATENTS = 64;

/** Reads `--classes`. @throws UserError when there are others than the generator has. */
export function classNames(text: string | undefined, classes: number): string[] {
  if (classes === 0) {
    if (text === undefined) return [];
    throw new UserError('--classes is for generators that take a class, and this one takes none');
  }
  const names = text?.split(',').map((name) => name.trim()) ?? [];
  if (text === undefined) return Array.from({ length: classes }, (_, i) => String(i));
  if (names.length === classes && new Set(names).size === classes && names.every(Boolean)) {
    return names;
  }
  throw new UserError(`--classes must be ${classes} names that differ, with commas between them`);
}
