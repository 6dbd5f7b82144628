/**
 * A list of runs as tasks: `npm run train -- --sweep sweep.json`.
 *
 * @module
 */
import { readNamedJson, userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { z } from 'zod';
import { type GivenOptions, parseGivenOptions } from '../run/options.ts';

const sweepSchema = z.strictObject({
  /** Of all runs. */
  options: z.record(z.string(), z.unknown()).default({}),
  /** Options of each run, its name among them; they win over those of all. */
  runs: z.array(z.record(z.string(), z.unknown())).min(1),
});

/** A task of a sweep: one run. */
export interface TrainTask {
  number: number;
  options: GivenOptions & { name: string };
}

/**
 * @param flags options of the command line, which win over those of the file
 * @throws UserError when the file is not such a list, an option is wrong, or two runs have one name.
 */
export async function readSweep(path: string, flags: GivenOptions): Promise<TrainTask[]> {
  const file = userPath(path);
  const sweep = sweepSchema.safeParse(await readNamedJson(file, '--sweep'));
  if (!sweep.success) {
    const { path: key, message } = sweep.error.issues[0]!;
    throw new UserError(`--sweep ${file}: ${key.join('.') || 'the file'}: ${message}`);
  }
  const { options, runs } = sweep.data;
  const names = new Set<string>();
  return runs.map((run, number) => {
    const given = { ...parseGivenOptions({ ...options, ...run }, { file }), ...flags };
    const { name } = given;
    if (name === undefined) throw new UserError(`--sweep ${file}: run ${number} has no name`);
    if (names.has(name)) throw new UserError(`--sweep ${file}: two runs are called ${name}`);
    names.add(name);
    return { number, options: { ...given, name } };
  });
}
