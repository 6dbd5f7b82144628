/**
 * One run, one folder: `runs/<name>/` holds all that a training run leaves.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { explainFileError, runsFolder, TEMPORARY_NAME } from '@killme/command-line';
import { UserError } from '@killme/model';

/** Where runs live. */
export const RUNS_FOLDER = runsFolder();

/** The paths inside a run folder. */
export interface RunFolder {
  name: string;
  root: string;
  options: string;
  log: string;
  metrics: string;
  /** How good its images were, at some iterations. */
  quality: string;
  samples: string;
  checkpoints: string;
  /** TensorBoard event files. */
  tensorboard: string;
  report: string;
  /** The exported generator file. */
  generator: string;
  /** Which process is training it: see lock.ts. */
  lock: string;
}

export function runFolder(name: string, runs = RUNS_FOLDER): RunFolder {
  const root = join(runs, name);
  return {
    name,
    root,
    options: join(root, 'options.json'),
    log: join(root, 'log.txt'),
    metrics: join(root, 'metrics.csv'),
    quality: join(root, 'quality.csv'),
    samples: join(root, 'samples'),
    checkpoints: join(root, 'checkpoints'),
    tensorboard: join(root, 'tensorboard'),
    report: join(root, 'report.html'),
    generator: join(root, 'generator'),
    lock: join(root, '.lock'),
  };
}

/** @throws UserError when a run of that name exists. */
export function refuseExistingRun(folder: RunFolder): void {
  if (existsSync(folder.options)) {
    throw new UserError(
      `the run "${folder.name}" exists already (${folder.root}): ` +
        'go on with it by --resume, or give another --name',
    );
  }
}

/** Makes the folder of a run, where there is none yet. */
export async function createRunFolder(folder: RunFolder): Promise<void> {
  try {
    await mkdir(folder.samples, { recursive: true });
    await mkdir(folder.checkpoints, { recursive: true });
  } catch (error) {
    const explained = explainFileError(error);
    if (!(explained instanceof UserError)) throw error;
    throw new UserError(`${explained.message} (KILLME_RUNS names another place for runs)`);
  }
}

/**
 * The folder of a run that exists; without a name, of the one last written to.
 * @throws UserError when there is none.
 */
export async function findRunFolder(name?: string, runs = RUNS_FOLDER): Promise<RunFolder> {
  if (name !== undefined) {
    const folder = runFolder(name, runs);
    if (existsSync(folder.options)) return folder;
    throw new UserError(`there is no run "${name}" in ${runs}; ${await listRuns(runs)}`);
  }
  const newest = (await datedRuns(runs)).sort((a, b) => b.changed - a.changed)[0];
  if (!newest) throw new UserError(`there is no run in ${runs} yet: start one with npm run train`);
  return runFolder(newest.name, runs);
}

async function listRuns(runs: string): Promise<string> {
  const names = (await datedRuns(runs)).map((run) => run.name);
  return names.length === 0 ? 'there are none yet' : `there are: ${names.join(', ')}`;
}

async function datedRuns(runs: string): Promise<{ name: string; changed: number }[]> {
  if (!existsSync(runs)) return [];
  const names = (await readdir(runs)).filter((name) => existsSync(runFolder(name, runs).options));
  return Promise.all(
    names.map(async (name) => {
      const { log, options } = runFolder(name, runs);
      const { mtimeMs } = await stat(existsSync(log) ? log : options);
      return { name, changed: mtimeMs };
    }),
  );
}

/** Adds to the end of a file, which may be a new one. */
export async function appendToFile(path: string, data: string | Uint8Array): Promise<void> {
  await appendFile(path, data).catch((error: unknown) => {
    throw explainFileError(error, path);
  });
}

/**
 * Removes the temporary files and folders of a process that was killed while it wrote; a folder that it had
 * put aside and not yet replaced goes back.
 */
export async function removeLeftovers({ root, samples, checkpoints }: RunFolder): Promise<void> {
  for (const folder of [root, samples, checkpoints]) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      const [, target, old] = TEMPORARY_NAME.exec(name) ?? [];
      if (target === undefined) continue;
      const isOnlyCopy = old !== undefined && !existsSync(join(folder, target));
      if (isOnlyCopy) await rename(join(folder, name), join(folder, target));
      else await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}
