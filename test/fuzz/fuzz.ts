/**
 * Attacks every input of this repository, and its servers, with damaged and hostile data, for a time.
 *
 *     npm run fuzz -- [--minutes 1] [--seed S] [--only TARGET] [--case N]
 *
 * A finding is printed with the command that repeats it, and the exit status is 1.
 *
 * @module
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { escapeControls } from '@killme/command-line';
import { createRandom, UserError } from '@killme/model';
import { createTargets, TARGETS, type Target } from './targets.ts';

export interface FuzzOptions {
  seed: string;
  /** Names of targets. */
  targets: readonly string[];
  /** When to end: after so many milliseconds, or after so many cases of each target. */
  milliseconds?: number | undefined;
  cases?: number | undefined;
  /** The first case of each target. */
  first?: number | undefined;
}

/** One mistake makes many findings. */
const MAX_PRINTED = 20;

export interface FuzzReport {
  /** How many cases each target has had. */
  counts: Record<string, number>;
  findings: { target: string; case: number; error: unknown }[];
}

/** Attacks each target with one case after the other. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { targets, clean } = await createTargets(options.targets);
  try {
    return await attackAll(targets, options);
  } finally {
    await clean();
  }
}

async function attackAll(
  targets: readonly Target[],
  { seed, milliseconds = Infinity, cases = Infinity, first = 0 }: FuzzOptions,
): Promise<FuzzReport> {
  const report: FuzzReport = { counts: {}, findings: [] };
  const end = performance.now() + milliseconds;
  for (let i = first; i < first + cases && performance.now() < end; i++) {
    for (const { name, attack } of targets) {
      report.counts[name] = i + 1 - first;
      await attack(createRandom(`fuzz/${seed}/${name}/${i}`)).catch((error: unknown) => {
        report.findings.push({ target: name, case: i, error });
      });
    }
  }
  return report;
}

/** @throws UserError when there is no target of that name. */
function chooseTargets(only: string | undefined): readonly string[] {
  const all = [...TARGETS.inputs, ...TARGETS.servers];
  if (only === undefined) return all;
  if (!all.includes(only)) throw new UserError(`--only ${only}: there are ${all.join(', ')}`);
  return [only];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now()) },
      only: { type: 'string' },
      case: { type: 'string' },
    },
  });
  const { seed, only } = values;
  const single = values.case === undefined ? {} : { first: Number(values.case), cases: 1 };
  const milliseconds = Number(values.minutes) * 60_000;
  if (!(milliseconds > 0)) throw new UserError(`--minutes must be a positive number`);
  const targets = chooseTargets(only);
  const { counts, findings } = await fuzz({ seed, targets, milliseconds, ...single });
  for (const { target, case: number, error } of findings.slice(0, MAX_PRINTED)) {
    console.error(`${target}: ${escapeControls(String(error))}`);
    console.error(`  again: npm run fuzz -- --seed ${seed} --only ${target} --case ${number}`);
  }
  const done = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  console.log(`seed ${seed}, cases: ${done.join(', ')}; findings: ${findings.length}`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    if (!(error instanceof UserError || error instanceof TypeError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
