/**
 * The options of a training run: defaults from the preset, then a config file, then flags.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import {
  givenNumber,
  type Methods,
  methodsSchema,
  PRESETS,
  type Preset,
  presetByName,
  withMethods,
} from '@killme/model/training';
import { z } from 'zod';

export { userPath };

const count = givenNumber(z.number().int().positive());

/** A seed of random numbers. */
export const givenSeed = givenNumber(
  z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1),
);

/** What can be given, in a config file by these names and on the command line as flags. */
export const givenOptionsSchema = z.strictObject({
  preset: z
    .string()
    .optional()
    .describe(`kind of GAN: ${PRESETS.map((p) => p.name).join(', ')}`),
  data: z
    .string()
    .min(1)
    .optional()
    .describe('folder, .zip or .rar of images; without it the stand-in characters'),
  iterations: count.optional().describe('training steps in all'),
  batch: givenNumber(z.number().int().min(2).multipleOf(2))
    .optional()
    .describe('images in a step; D sees half real, half fake'),
  backend: z
    .enum(['auto', 'tensorflow', 'webgpu', 'wasm'])
    .optional()
    .describe('engine to train on'),
  learningRate: givenNumber(z.number().positive().max(1))
    .optional()
    .describe('how far Adam goes in a step'),
  seed: givenSeed.optional().describe('seed of all random numbers of the run'),
  name: z
    .string()
    .regex(/^[\w][\w.-]{0,63}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"')
    .optional()
    .describe('folder of the run in runs/'),
  saveEvery: count.optional().describe('iterations between checkpoints'),
  sampleEvery: count.optional().describe('iterations between grids and strips'),
  measureEvery: givenNumber(z.number().int().nonnegative())
    .optional()
    .describe('iterations between measurements of quality; 0 for none'),
  strict: z
    .boolean()
    .optional()
    .describe('stop at an image that cannot be read, instead of skipping it'),
  ...methodsSchema.partial().shape,
});

export type GivenOptions = z.infer<typeof givenOptionsSchema>;

/** The options of a run, all settled; written to `options.json`. */
export const trainOptionsSchema = z.strictObject({
  preset: z.string(),
  data: z.string().nullable(),
  iterations: count,
  batch: count,
  learningRate: z.number().positive().optional(), // runs from before it have their preset's
  backend: z.enum(['auto', 'tensorflow', 'webgpu', 'wasm']),
  seed: z.number().int(),
  name: z.string(),
  saveEvery: count,
  sampleEvery: count,
  measureEvery: z.number().int().nonnegative().default(0), // runs from before it have none
  strict: z.boolean(),
  /** Of presets that have them; runs of older versions have none either, or not all. */
  methods: methodsSchema
    .extend({
      classCondition: z.boolean().default(false),
      reconstructionWeight: z.number().default(0),
      warmUp: z.number().default(0),
      latentWhitening: z.boolean().default(false),
    })
    .optional(),
});

export type TrainOptions = z.infer<typeof trainOptionsSchema>;

/** @throws UserError naming the option that is unknown or out of range, and where it stands. */
export function parseGivenOptions(given: unknown, where: 'flag' | { file: string }): GivenOptions {
  const parsed = givenOptionsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    throw new UserError(
      `${place(where)}unknown option "${issue.keys[0]}"; there are: ` +
        Object.keys(givenOptionsSchema.shape).join(', '),
    );
  }
  if (issue.path.length === 0) throw new UserError(`${place(where)}it must be a JSON object`);
  const key = String(issue.path[0]);
  const value = (given as Record<string, unknown> | null)?.[key];
  const label = where === 'flag' ? `--${kebab(key)}` : key;
  throw new UserError(`${place(where)}${label}: ${issue.message}; it was ${JSON.stringify(value)}`);
}

const place = (where: 'flag' | { file: string }) => (where === 'flag' ? '' : `${where.file}: `);

/** `saveEvery` → `save-every`, as flags are written. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** @throws UserError when the file is missing, not JSON, or has a wrong option. */
export async function readConfigFile(path: string): Promise<GivenOptions> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(userPath(path), 'utf8'));
  } catch (error) {
    throw new UserError(`--config ${path} cannot be read as JSON: ${(error as Error).message}`);
  }
  return parseGivenOptions(json, { file: path });
}

/** Settles every option; the run's name is its preset and the time where none is given. */
export function resolveOptions(given: GivenOptions): TrainOptions {
  const preset = presetByName(given.preset ?? 'article');
  const { training } = preset;
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  const methods = resolveMethods(preset, given);
  return {
    preset: preset.name,
    data: given.data === undefined ? null : userPath(given.data),
    iterations: given.iterations ?? training.iterations,
    batch: given.batch ?? training.batchSize,
    learningRate: given.learningRate ?? training.learningRate,
    backend: given.backend ?? 'auto',
    seed: given.seed ?? 0,
    name: given.name ?? `${preset.name}-${time}`,
    saveEvery: given.saveEvery ?? training.saveEvery,
    sampleEvery: given.sampleEvery ?? training.sampleEvery,
    measureEvery: given.measureEvery ?? 2 * training.sampleEvery,
    strict: given.strict ?? false,
    ...(methods ? { methods } : {}),
  };
}

/**
 * The preset of a run, with what the run has chosen.
 * @param dataset what it learns from; how many images each class has is not known of older runs.
 */
export function presetOf({
  options: { preset: name, methods, learningRate },
  dataset: { classCounts },
}: {
  options: TrainOptions;
  dataset: { classCounts?: readonly number[] | undefined };
}): Preset {
  const base = presetByName(name);
  const training = { ...base.training, learningRate: learningRate ?? base.training.learningRate };
  const preset = { ...base, training };
  return methods && training.methods ? withMethods(preset, methods, classCounts) : preset;
}

/** The preset's methods, changed by what is given. */
function resolveMethods({ name, training }: Preset, given: GivenOptions): Methods | undefined {
  const chosen = givenMethods(given);
  if (training.methods) return { ...training.methods, ...Object.fromEntries(chosen) };
  const [first] = chosen;
  if (first) {
    throw new UserError(
      `--${kebab(first[0])} is an option of preset lite: omit it with preset ${name}`,
    );
  }
  return undefined;
}

const givenMethods = (given: GivenOptions) =>
  Object.entries(given).filter(([key, value]) => key in methodsSchema.shape && value !== undefined);

/**
 * The options of a run that goes on: its own, with what may change on the way.
 * @throws UserError naming an option that would make it another run.
 */
export function resumeOptions(saved: TrainOptions, given: GivenOptions): TrainOptions {
  for (const key of ['preset', 'batch', 'learningRate', 'seed'] as const) {
    if (given[key] !== undefined && given[key] !== saved[key]) {
      throw otherRun(key, given[key], saved.name, saved[key]);
    }
  }
  for (const [key, value] of givenMethods(given)) {
    const old = saved.methods?.[key as keyof Methods];
    if (!isDeepStrictEqual(value, old)) throw otherRun(key, value, saved.name, old);
  }
  return {
    ...saved,
    data: given.data === undefined ? saved.data : userPath(given.data),
    iterations: given.iterations ?? saved.iterations,
    backend: given.backend ?? saved.backend,
    saveEvery: given.saveEvery ?? saved.saveEvery,
    sampleEvery: given.sampleEvery ?? saved.sampleEvery,
    measureEvery: given.measureEvery ?? saved.measureEvery,
    strict: given.strict ?? saved.strict,
  };
}

function otherRun(key: string, given: unknown, run: string, saved: unknown): UserError {
  return new UserError(
    `--${kebab(key)} ${flagValue(given)} does not fit the run "${run}", which has ${flagValue(saved)}: ` +
      'omit it, or start another run by --name',
  );
}

/** A value as it is written after its flag. */
export function flagValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.join(',') || 'none';
  return String(value ?? 'none');
}
