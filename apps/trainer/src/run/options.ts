/**
 * The options of a training run: defaults from the preset, then a config file, then flags.
 *
 * @module
 */

import { isDeepStrictEqual } from 'node:util';
import { readNamedJson, userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { type Preset, presetByName, withMethods } from '@killme/model/training';
import { z } from 'zod';
import {
  imageSizeSchema,
  METHOD_OPTIONS,
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  RUN_OPTIONS,
  schemasOf,
} from './option-table.ts';
import { flagValue, kebab } from './option-text.ts';

const givenOptionsSchema = z.strictObject(schemasOf(OPTIONS)).partial();

/** What can be given, in a config file by these names and on the command line as flags. */
export type GivenOptions = z.infer<typeof givenOptionsSchema>;

/** The options of a run, all resolved; written to `options.json`. */
export const trainOptionsSchema = z.strictObject({
  ...schemasOf(RUN_OPTIONS),
  /** Runs from before 2026-11-29 do not say. */
  imageSize: imageSizeSchema.default(128),
  /** Of presets whose step has them. */
  methods: z.strictObject(schemasOf(METHOD_OPTIONS)).optional(),
});

export type TrainOptions = z.infer<typeof trainOptionsSchema>;

/** @throws UserError naming the option that is unknown or out of range, and where it stands. */
export function parseGivenOptions(given: unknown, where: 'flag' | { file: string }): GivenOptions {
  const parsed = givenOptionsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const place = where === 'flag' ? '' : `${where.file}: `;
  const issue = parsed.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const known = OPTION_NAMES.join(', ');
    throw new UserError(`${place}unknown option "${issue.keys[0]}"; there are: ${known}`);
  }
  if (issue.path.length === 0) throw new UserError(`${place}it must be a JSON object`);
  const key = String(issue.path[0]);
  const value = (given as Record<string, unknown> | null)?.[key];
  const label = where === 'flag' ? `--${kebab(key)}` : key;
  throw new UserError(
    `${place}${label}: ${issue.message}; it was ${shorten(JSON.stringify(value))}`,
  );
}

const SHOWN_CHARACTERS = 80;

/** A value of any length, cut to what a person still reads. */
const shorten = (text = 'undefined') =>
  text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS).toWellFormed()}…`;

/** @throws UserError when the file is missing, not JSON, or has a wrong option. */
export async function readConfigFile(path: string): Promise<GivenOptions> {
  return parseGivenOptions(await readNamedJson(userPath(path), '--config'), { file: path });
}

/**
 * The options of a new run: those given, and the preset's defaults.
 * @throws UserError when one is given that the preset does not have, or images of another size than it has.
 */
export function resolveOptions(given: GivenOptions): TrainOptions {
  const preset = presetByName(given.preset ?? 'article', given.imageSize);
  const { step } = preset.training;
  const [misplaced] = methodsIn(given);
  if (misplaced && step === 'article') {
    throw new UserError(
      `--${kebab(misplaced)} is an option of preset lite: omit it with preset ${preset.name}`,
    );
  }
  const resolve = (names: readonly OptionName[]) =>
    Object.fromEntries(
      names.map((name) => [name, given[name] ?? OPTIONS[name].default(preset)] as const),
    );
  return trainOptionsSchema.parse({
    ...resolve(namesOf(RUN_OPTIONS)),
    data: given.data ? userPath(given.data) : null,
    ...(step === 'article' ? {} : { methods: resolve(namesOf(METHOD_OPTIONS)) }),
  });
}

/**
 * The options of a run that goes on: its own, with what may change on the way.
 * @throws UserError naming an option that would make it another run.
 */
export function resumeOptions(saved: TrainOptions, given: GivenOptions): TrainOptions {
  const old: GivenOptions = { ...saved, ...saved.methods };
  for (const name of OPTION_NAMES) {
    const value = given[name];
    if (value === undefined || OPTIONS[name].onResume === 'may change') continue;
    if (isDeepStrictEqual(value, old[name])) continue;
    throw new UserError(
      `--${kebab(name)} ${flagValue(value)} does not fit the run "${saved.name}", which has ` +
        `${flagValue(old[name])}: omit it, or start another run by --name`,
    );
  }
  const changes = namesOf(RUN_OPTIONS).map((name) => [name, given[name] ?? saved[name]] as const);
  return trainOptionsSchema.parse({
    ...saved,
    ...Object.fromEntries(changes),
    data: given.data ? userPath(given.data) : saved.data,
  });
}

/** The options of a run one a line, as flags; those that were given are marked. */
export function describeOptions(options: TrainOptions, given: GivenOptions): string {
  const all: GivenOptions = { ...options, ...options.methods };
  const names = OPTION_NAMES.filter((name) => all[name] !== undefined);
  const width = Math.max(...names.map((name) => kebab(name).length));
  const lines = names.map((name) => {
    const value = name === 'data' ? (all.data ?? OPTIONS.data.defaultText) : flagValue(all[name]);
    const origin = given[name] === undefined ? '' : '  (given)';
    return `  --${kebab(name).padEnd(width)}  ${value}${origin}`;
  });
  return ['options:', ...lines].join('\n');
}

/**
 * The preset of a run, with what the run has chosen.
 * @param record.dataset.classCounts images of each class; a single class makes no class-conditional GAN.
 */
export function presetOf({
  options: { preset: name, imageSize, methods, learningRate },
  dataset: { classCounts },
}: {
  options: TrainOptions;
  dataset: { classCounts: readonly number[] };
}): Preset {
  const base = presetByName(name, imageSize);
  const preset = { ...base, training: { ...base.training, learningRate } };
  return methods ? withMethods(preset, methods, classCounts) : preset;
}

const methodsIn = (given: GivenOptions): OptionName[] =>
  namesOf(METHOD_OPTIONS).filter((name) => given[name] !== undefined);

const namesOf = <Table extends object>(table: Table) => Object.keys(table) as (keyof Table)[];
