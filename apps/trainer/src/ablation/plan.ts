/**
 * A sweep as a list of tasks, which any scheduler can number: `npm run ablate -- --plan`.
 *
 * @module
 */
import { basename } from 'node:path';
import { userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import type { ImageSize } from '@killme/model/training';
import { z } from 'zod';
import { imageSizeSchema } from '../run/option-table.ts';
import type { Budget } from './budget.ts';
import { sharesWarmUp, VARIANT_NAMES, type VariantName } from './variants.ts';

const positive = z.number().int().positive();

const budgetSchema = z.union([
  z.strictObject({ cpuSeconds: positive }),
  z.strictObject({ iterations: positive }),
]);

const taskSchema = z.strictObject({
  /** From 0, as all schedulers can count. */
  number: z.number().int().nonnegative(),
  /** A task of variants makes their shared warm-up itself where it is not made yet. */
  kind: z.enum(['warm-up', 'variants']),
  /** Path of the images; null are the stand-in characters. */
  data: z.string().nullable(),
  seed: z.number().int().nonnegative(),
  variants: z.array(z.enum(VARIANT_NAMES as [VariantName, ...VariantName[]])),
  /** Tasks that have to be done before. */
  after: z.array(z.number().int().nonnegative()),
  needs: z.strictObject({
    engine: z.enum(['auto', 'tensorflow', 'webgpu', 'wasm']),
    /** At most, for all variants of the task together; measuring them comes on top. */
    budget: budgetSchema,
  }),
});

export const planSchema = z.strictObject({
  format: z.literal('killme-ablation-plan-1'),
  /** Side of all images, in pixels. */
  imageSize: imageSizeSchema,
  /** Iterations of the warm-up of variants that have one; null are those of `lite`. */
  warmUp: positive.nullable(),
  /** Of each variant. */
  budget: budgetSchema,
  /** Images that are measured of each; null are as many as real ones are held out. */
  count: positive.nullable(),
  saveEvery: positive.nullable(),
  tasks: z.array(taskSchema),
});

export type AblationTask = z.infer<typeof taskSchema>;
export type AblationPlan = z.infer<typeof planSchema>;

export interface PlanOptions {
  variants: readonly VariantName[];
  imageSize?: ImageSize | undefined;
  warmUp?: number | undefined;
  budget: Budget;
  seeds: readonly number[];
  /** As `--data` of training; without any the stand-in characters. */
  data: readonly string[];
  backend: AblationTask['needs']['engine'];
  count?: number | undefined;
  /** Iterations between checkpoints: what a task that is killed loses at most. */
  saveEvery?: number | undefined;
  /** A task for each variant, after one for the warm-up that they share. */
  split: boolean;
}

/**
 * All sets of the first seed, then all of the second: whenever a sweep is stopped, the variants have
 * about equally many seeds.
 * @throws UserError when two sets would have the same name in the table.
 */
export function planAblation(options: PlanOptions): AblationPlan {
  const { budget, seeds, backend, split } = options;
  const data = options.data.length === 0 ? [null] : options.data.map(userPath);
  const names = data.map((path) => path && basename(path));
  const double = names.find((name, i) => names.indexOf(name) !== i);
  if (double != null) throw new UserError(`two of --data are called ${double}: rename one`);
  const places = seeds.flatMap((seed) => data.map((path) => ({ seed, data: path })));
  const variants = [...options.variants];
  const describe = (task: Pick<AblationTask, 'kind' | 'variants' | 'after'>) => ({
    ...task,
    needs: { engine: backend, budget: times(budget, Math.max(1, task.variants.length)) },
  });
  const tasks = split
    ? splitTasks(places, variants, describe)
    : places.map((place) => ({ ...place, ...describe({ kind: 'variants', variants, after: [] }) }));
  return {
    format: 'killme-ablation-plan-1',
    imageSize: options.imageSize ?? 128,
    warmUp: options.warmUp ?? null,
    budget,
    count: options.count ?? null,
    saveEvery: options.saveEvery ?? null,
    tasks: tasks.map((task, number) => ({ number, ...task })),
  };
}

type Place = Pick<AblationTask, 'data' | 'seed'>;
type Described = Omit<AblationTask, 'number' | keyof Place>;

/** Warm-ups have the lowest numbers, so that two arrays of jobs are two ranges. */
function splitTasks(
  places: readonly Place[],
  variants: readonly VariantName[],
  describe: (task: Pick<AblationTask, 'kind' | 'variants' | 'after'>) => Described,
): (Place & Described)[] {
  const hasWarmUp = variants.some(sharesWarmUp);
  const warmUps = hasWarmUp
    ? places.map((place) => ({
        ...place,
        ...describe({ kind: 'warm-up', variants: [], after: [] }),
      }))
    : [];
  const rest = places.flatMap((place, i) =>
    variants.map((variant) => ({
      ...place,
      ...describe({
        kind: 'variants',
        variants: [variant],
        after: hasWarmUp && sharesWarmUp(variant) ? [i] : [],
      }),
    })),
  );
  return [...warmUps, ...rest];
}

function times(budget: Budget, count: number): Budget {
  return 'cpuSeconds' in budget
    ? { cpuSeconds: budget.cpuSeconds * count }
    : { iterations: budget.iterations * count };
}
