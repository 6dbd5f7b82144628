/**
 * `npm run test:slurm`: a sweep of four tiny tasks on a real Slurm of two nodes, submitted as
 * docs/sweeps.md says. One task's process tree is killed and requeued, one node stops in the middle and
 * comes back; the merged table must be, row by row, that of one process.
 *
 * Where this is not root on Debian it says that it was not run, and ends well.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { type Cluster, type NodeName, startCluster } from './cluster.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGES = ['slurmctld', 'slurmd', 'slurm-client', 'munge'];
const SEEDS = ['1', '2', '3', '4'];
/** Of the whole test. */
const LIMIT_MS = 290_000;
const began = Date.now();

function install(): void {
  const missing = ['slurmctld', 'slurmd', 'sbatch', 'munged'].filter(
    (program) => !['/usr/sbin', '/usr/bin'].some((folder) => existsSync(join(folder, program))),
  );
  if (missing.length === 0) return;
  // A run level of one: the packages must not start their services.
  const env = { ...process.env, RUNLEVEL: '1', DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' });
  const options = ['install', '-qy', '--no-install-recommends', ...PACKAGES];
  execFileSync('apt-get', options, { env, stdio: 'ignore' });
}

async function runTest(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'killme-slurm-'));
  let cluster: Cluster | undefined;
  try {
    await writeImages(join(folder, 'icons'));
    cluster = await startCluster(folder);
    await sweepOnCluster(cluster, folder);
    const expected = sweepInOneProcess(folder);
    const merged = tableOf(join(folder, 'slurm.csv'));
    if (merged !== expected) throw new Error(`the tables differ:\n${merged}\n---\n${expected}`);
    console.log(`test:slurm passed: ${SEEDS.length} equal rows in ${seconds()} s`);
  } catch (error) {
    console.error(error);
    console.error(`test:slurm FAILED after ${seconds()} s; its files are in ${folder}`);
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.log'))) {
      console.error(`== ${name}\n${readFileSync(join(folder, name), 'utf8').slice(-1500)}`);
    }
    throw error;
  } finally {
    cluster?.stop();
  }
  rmSync(folder, { recursive: true }); // after its daemons have ended, which write there
}

const seconds = () => Math.round((Date.now() - began) / 1000);

async function writeImages(folder: string): Promise<void> {
  mkdirSync(folder);
  for (let i = 0; i < 32; i++) {
    const background = { r: (i * 7) % 256, g: (i * 31) % 256, b: 255 - i };
    const image = sharp({ create: { width: 128, height: 128, channels: 3, background } });
    await image.png().toFile(join(folder, `${String(i).padStart(2, '0')}.png`));
  }
}

const sweep = (folder: string, name: string) => [
  ...['--data', join(folder, 'icons'), '--variants', 'lite', '--seeds', ...SEEDS],
  ...['--iterations', '4', '--save-every', '1', '--count', '12', '--backend', 'wasm'],
  ...['--results', join(folder, `results-${name}`), '--to', join(folder, `${name}.csv`)],
];

async function sweepOnCluster(cluster: Cluster, folder: string): Promise<void> {
  const runs = join(folder, 'runs-slurm');
  const environment = { ...cluster.environment, KILLME_RUNS: runs, INIT_CWD: folder };
  const submit = join(ROOT, 'deploy/slurm/submit.sh');
  const options = ['--', ...sweep(folder, 'slurm')];
  console.log(
    execFileSync(submit, options, { env: environment, cwd: folder, encoding: 'utf8' }).trim(),
  );

  const killed = await runningTask(cluster, { node: 'n1', runs });
  cluster.killTask(killed.task);
  await until(
    () => !tasks(cluster).some(({ id, state }) => id === killed.id && state === 'RUNNING'),
  );
  cluster.run('scontrol', 'requeue', killed.id);
  console.log(`${seconds()} s: killed task ${killed.task} on n1 and requeued it`);

  const stopped = await runningTask(cluster, { node: 'n2', runs, not: killed.task });
  cluster.killNode('n2', stopped.job);
  console.log(`${seconds()} s: stopped n2 with task ${stopped.task}`);
  await until(() => /down/.test(cluster.run('sinfo', '-h', '-n', 'n2', '-o', '%t')));
  cluster.startNode('n2');
  console.log(`${seconds()} s: n2 came back`);

  await until(() => existsSync(join(folder, 'slurm.csv')));
  console.log(`${seconds()} s: merged`);
}

interface RunningTask {
  /** `<array>_<task>`. */
  id: string;
  job: number;
  task: number;
  state: string;
  node: string;
}

function tasks(cluster: Cluster): RunningTask[] {
  const text = cluster.run('squeue', '-h', '-r', '-o', '%F_%K %A %K %T %N');
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [id, job, task, state, node] = line.trim().split(' ') as [string, ...string[]];
      return { id, job: Number(job), task: Number(task), state: state ?? '', node: node ?? '' };
    });
}

/** A task that has written a checkpoint and has not come to its end. */
async function runningTask(
  cluster: Cluster,
  { node, runs, not }: { node: NodeName; runs: string; not?: number },
): Promise<RunningTask> {
  let found: RunningTask | undefined;
  await until(() => {
    found = tasks(cluster).find(
      (one) =>
        one.state === 'RUNNING' &&
        one.node === node &&
        one.task !== not &&
        hasCheckpoint(runs, one.task),
    );
    return found !== undefined;
  });
  return found!;
}

/** Task I trains with the I-th seed; its first run is the warm-up that its variants share. */
function hasCheckpoint(runs: string, task: number): boolean {
  const pattern = `ablation-icons-*-warm-up-4i-${SEEDS[task]}/checkpoints/*.safetensors`;
  return globSync(pattern, { cwd: runs }).length > 0;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    if (Date.now() - began > LIMIT_MS) throw new Error('it takes too long');
    await wait(200);
  }
}

function sweepInOneProcess(folder: string): string {
  const node = join(ROOT, 'node_modules/.bin/node');
  const cli = join(ROOT, 'apps/trainer/src/cli.ts');
  const env = { ...process.env, KILLME_RUNS: join(folder, 'runs-one'), INIT_CWD: folder };
  execFileSync(node, [cli, 'ablate', ...sweep(folder, 'one')], { env, stdio: 'ignore' });
  console.log(`${seconds()} s: the same in one process`);
  return tableOf(join(folder, 'one.csv'));
}

const tableOf = (file: string) => readFileSync(file, 'utf8');

const isRoot = process.getuid?.() === 0;
if (!isRoot || !existsSync('/etc/debian_version')) {
  console.log(
    'test:slurm was NOT RUN: it installs Slurm, and for that it has to be root on Debian',
  );
} else {
  install();
  await runTest();
}
