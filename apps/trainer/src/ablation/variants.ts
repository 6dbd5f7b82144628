/**
 * The variants of the ablation: what each trains with.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import type { ImageSize, Methods } from '@killme/model/training';
import type { EngineChoice } from '../engines/start.ts';
import { flagValue, kebab } from '../run/option-text.ts';
import { type GivenOptions, resolveOptions, type TrainOptions } from '../run/options.ts';

/** Training options by the name of what they try; each is `lite` but for one thing. */
export const VARIANTS = {
  lite: {},
  article: { preset: 'article' },
  'no-penalty': { gradientPenalty: 0 },
  'penalty-10': { gradientPenalty: 10 },
  'no-minibatch-deviation': { minibatchDeviation: false },
  'no-update-clipping': { updateClipping: false },
  'no-shared-start': { sharedStart: false },
  'no-augment': { augment: [] },
  'augment-color': { augment: ['color', 'translation', 'cutout'] },
  logistic: { loss: 'logistic' },
  hinge: { loss: 'hinge' },
  'no-ema': { emaDecay: 0 },
  'batch-32': { batch: 32 },
  'no-class-condition': { classCondition: false },
  'no-reconstruction': { reconstructionWeight: 0 },
  'no-warm-up': { warmUp: 0 },
  'no-whitening': { latentWhitening: false },
  'no-mapping': { mappingSteps: 0 },
  'learning-rate-4e-4': { learningRate: 4e-4 },
  'learning-rate-2e-3': { learningRate: 2e-3 },
} satisfies Record<string, GivenOptions>;

export type VariantName = keyof typeof VARIANTS;

export const VARIANT_NAMES = Object.keys(VARIANTS) as VariantName[];

/** What all variants of a table have in common. */
interface VariantPlace {
  seed: number;
  data?: string | null;
  imageSize?: ImageSize;
  /** Iterations of the warm-up of variants that have one; null are those of `lite`. */
  warmUp?: number | null;
  backend: EngineChoice;
}

/** What a variant is trained with, written in full so that it holds when defaults change. */
export function variantOptions(
  variant: VariantName,
  { seed, data, imageSize, warmUp, backend }: VariantPlace,
): GivenOptions {
  return {
    seed,
    ...(data == null ? {} : { data }),
    ...(imageSize === undefined || imageSize === 128 ? {} : { imageSize }),
    backend,
    ...chosenOptions(variant, warmUp),
  };
}

/** What makes a variant, whatever it learns from. */
export function chosenOptions(variant: VariantName, warmUp?: number | null): GivenOptions {
  const chosen = chosenOf(resolveOptions({ preset: 'lite', ...VARIANTS[variant] }));
  return warmUp != null && chosen.warmUp ? { ...chosen, warmUp } : chosen;
}

export const chosenOf = ({ preset, batch, learningRate, methods }: TrainOptions): GivenOptions => ({
  preset,
  batch,
  learningRate,
  ...methods,
});

/** Methods that are D's alone, which rests in the warm-up. */
const OF_DISCRIMINATOR: readonly (keyof Methods)[] = [
  'loss',
  'gradientPenalty',
  'minibatchDeviation',
  'augment',
];

/**
 * Whether a variant's warm-up is that of `lite` to the last bit. It is made once then, and its CPU time
 * counts for each variant that goes on from it.
 */
export function sharesWarmUp(variant: VariantName): boolean {
  const fixed = (name: VariantName) => {
    const chosen = Object.entries(chosenOptions(name));
    return chosen.filter(([key]) => !(OF_DISCRIMINATOR as readonly string[]).includes(key));
  };
  return isDeepStrictEqual(fixed(variant), fixed('lite'));
}

/** What makes the same run by hand, but for its length. */
export function trainCommand(given: GivenOptions): string {
  return `npm run train -- ${flags(given)}`;
}

export function flags(given: GivenOptions): string {
  return Object.entries(given)
    .map(([key, value]) => `--${kebab(key)} ${shellWord(flagValue(value))}`)
    .join(' ');
}

/** As a shell takes it for one word: paths may have spaces. */
const shellWord = (text: string) =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
