/**
 * Which tasks of a sweep this process runs. No scheduler is known here but by the variable in which it
 * leaves a task its number.
 *
 * @module
 */
import process from 'node:process';
import { UserError } from '@killme/model';
import { readWhole } from './read-whole.ts';

const VARIABLES = [
  'SLURM_ARRAY_TASK_ID',
  'JOB_COMPLETION_INDEX', // an Indexed Job of Kubernetes
  'AWS_BATCH_JOB_ARRAY_INDEX',
  'SKYPILOT_JOB_RANK',
] as const;

/** Tasks and shards are counted from 0. */
const FROM_ZERO = { least: 0 };

type Environment = Readonly<Record<string, string | undefined>>;

/** What was asked for on the command line; `true` is an option without its value. */
export interface Selection {
  /** `--task [I]`: one task. */
  task?: string | true | undefined;
  /** `--shard I/N` or `--shard N`: every N-th task, beginning with the I-th. */
  shard?: string | undefined;
}

/**
 * @param count of the tasks of the sweep
 * @returns the numbers of the tasks to run, from 0; all of them where nothing was asked for.
 * @throws UserError for numbers that the sweep does not have, or that nobody gave.
 */
export function chooseTasks(
  { task, shard }: Selection,
  count: number,
  environment: Environment = process.env,
): number[] {
  const all = Array.from({ length: count }, (_, number) => number);
  if (task !== undefined && shard !== undefined) {
    throw new UserError('--task runs one task and --shard several: give one of the two');
  }
  if (task !== undefined) {
    const number =
      task === true ? numberFrom(environment, '--task') : readWhole('--task', task, FROM_ZERO);
    if (number < count) return [number];
    throw new UserError(`--task ${number}: the sweep has the tasks 0 to ${count - 1}`);
  }
  if (shard === undefined) return all;
  const { index, shards } = readShard(shard, environment);
  return all.filter((number) => number % shards === index);
}

/** @throws UserError when it is not `I/N` with I below N, or `N` with the number in the environment. */
export function readShard(
  text: string,
  environment: Environment = process.env,
): { index: number; shards: number } {
  const [first, second] = text.split('/') as [string, string?];
  const shards = readWhole('--shard', second ?? first, FROM_ZERO);
  const index =
    second === undefined
      ? numberFrom(environment, '--shard')
      : readWhole('--shard', first, FROM_ZERO);
  if (index < shards) return { index, shards };
  throw new UserError(`--shard ${index}/${shards}: the shards of ${shards} are 0 to ${shards - 1}`);
}

function numberFrom(environment: Environment, option: string): number {
  const given = VARIABLES.filter((name) => environment[name]);
  if (given.length === 1) return readWhole(given[0]!, environment[given[0]!], FROM_ZERO);
  if (given.length > 1) {
    throw new UserError(`${given.join(' and ')} are both set: give ${option} its number`);
  }
  throw new UserError(
    `${option} has no number, and no scheduler has left one (${VARIABLES.join(', ')})`,
  );
}
