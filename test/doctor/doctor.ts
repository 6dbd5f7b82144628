/**
 * Prints what this machine has and what each command would use, to paste into a bug report. No
 * paths of the person and no names of hosts or users are printed.
 *
 *     npm run doctor [-- --json]
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, release, totalmem } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { escapeControls, runCommand } from '@killme/command-line';
import { UserError } from '@killme/model';
import { findDeno, findTensorflow, findWebgpu, NeedsDeno, startEngine } from '@killme/trainer';
import sharp from 'sharp';
import { findWorkerd } from '../../apps/edge/scripts/bare-workerd.ts';
import { findChromium } from '../browser/launch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const GIB = 2 ** 30;

/** A line of the report; what cannot be found out says why. */
type Finding = [what: string, found: () => string | Promise<string>];

const MACHINE: readonly Finding[] = [
  ['killme', describeCommit],
  ['system', describeSystem],
  ['processor', describeProcessor],
  ['memory', describeMemory],
  ['disk', describeDisk],
  ['Node', () => process.version],
  [
    'npm',
    async () =>
      (await run('npm', ['--version'], { shell: process.platform === 'win32' })).stdout.trim(),
  ],
  ['Deno', describeDeno],
  ['workerd', describeWorkerd],
  ['TensorFlow', describeTensorflow],
  ['WebGPU', describeWebgpu],
  ['image formats', () => `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`],
  ['Chromium', describeChromium],
];

const COMMANDS: readonly Finding[] = [
  ['npm run train', describeTraining],
  [
    'npm start',
    async () => `the workerd above through wrangler ${await versionOf('wrangler')}, wasm`,
  ],
  ['npm run serve', () => `${availableParallelism()} processes of Node ${process.version}, wasm`],
  ['npm run data', () => `${availableParallelism()} images at once`],
  [
    'npm test',
    async () => {
      await findChromium();
      return 'the Chromium above';
    },
  ],
];

/** What was found, in the order of the tables. */
export async function examine(): Promise<{ machine: Report; commands: Report }> {
  return { machine: await ask(MACHINE), commands: await ask(COMMANDS) };
}

type Report = Record<string, string>;

async function ask(findings: readonly Finding[]): Promise<Report> {
  const answers: [string, string][] = [];
  for (const [what, find] of findings) {
    const found = await Promise.resolve()
      .then(find)
      .catch((error: unknown) => `not found: ${error instanceof Error ? error.message : error}`);
    answers.push([what, escapeControls(found.split('\n')[0]!)]);
  }
  return Object.fromEntries(answers);
}

async function describeCommit(): Promise<string> {
  const { version } = JSON.parse(await readFile(`${ROOT}/package.json`, 'utf8'));
  const git = (...args: string[]) => run('git', ['-C', ROOT, ...args]).then(({ stdout }) => stdout);
  const commit = await git('rev-parse', '--short', 'HEAD').catch(() => undefined);
  if (commit === undefined) return `${version}, not a git checkout`;
  const changed = (await git('status', '--porcelain', '-uno')) !== '';
  return `${version}, commit ${commit.trim()}${changed ? ', with changes' : ''}`;
}

async function describeSystem(): Promise<string> {
  const kernel = `${process.platform} ${release()} ${process.arch}`;
  if (process.platform !== 'linux') return kernel;
  const about = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const distribution = /^PRETTY_NAME="?([^"\n]*)/m.exec(about)?.[1] ?? 'unknown distribution';
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const libc = header.glibcVersionRuntime;
  return `${kernel}, ${distribution}, ${libc ? `glibc ${libc}` : 'not glibc'}`;
}

function describeProcessor(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  return `${model}, ${availableParallelism()} threads usable of ${cpus().length}`;
}

function describeMemory(): string {
  // A container's limit is what ends a process there.
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  return `${gib(Math.min(freemem(), process.availableMemory()))} free of ${gib(total)}`;
}

async function describeDisk(): Promise<string> {
  const { bavail, blocks, bsize } = await statfs(ROOT);
  return `${gib(bavail * bsize)} free of ${gib(blocks * bsize)} where runs/ lies`;
}

const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;

async function describeDeno(): Promise<string> {
  const deno = findDeno();
  if (!deno) return 'none for this platform: npm install --include=optional';
  const { stdout } = await run(deno, ['--version']);
  return stdout.split('\n')[0]!.replace(/^deno /, '');
}

/** It is run: on another libc than its own it does not start. */
async function describeWorkerd(): Promise<string> {
  const { stdout } = await run(findWorkerd(), ['--version']);
  return stdout.trim().replace(/^workerd /, '');
}

function describeTensorflow(): string {
  const found = findTensorflow();
  if (!found.available) return `none: ${found.reason}; ${found.remedy}`;
  const { record } = found;
  return record
    ? `${record.tensorflow}, ${record.cuda ? 'with CUDA' : 'CPU only'}`
    : 'of unknown origin';
}

async function describeWebgpu(): Promise<string> {
  const found = await findWebgpu();
  if (!found.available) return `none: ${found.reason}; ${found.remedy}`;
  return `${found.device}${found.software ? ' (in software, not used for training)' : ''}`;
}

async function describeChromium(): Promise<string> {
  const { program, env } = await findChromium();
  const { stdout } = await run(program, ['--version'], { env: { ...process.env, ...env } });
  return stdout.trim();
}

async function describeTraining(): Promise<string> {
  const lines: string[] = [];
  try {
    await startEngine('auto', (line) => lines.push(line));
  } catch (error) {
    if (!(error instanceof NeedsDeno)) throw error;
    return 'engine: webgpu, in Deno, on the adapter above';
  }
  return lines[0] ?? 'unknown';
}

async function versionOf(name: string): Promise<string> {
  const file = `${ROOT}/node_modules/${name}/package.json`;
  return JSON.parse(await readFile(file, 'utf8')).version;
}

function print(title: string, report: Report): void {
  const width = Math.max(...Object.keys(report).map((what) => what.length));
  console.log(`\n${title}`);
  for (const [what, found] of Object.entries(report)) {
    console.log(`  ${what.padEnd(width)}  ${found}`);
  }
}

/** @throws UserError naming an option that there is not. */
function readOptions(): { json: boolean } {
  try {
    return parseArgs({ options: { json: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<void> {
  const { json } = readOptions();
  const report = await examine();
  if (json) console.log(JSON.stringify(report, null, 2));
  else {
    print('This machine', report.machine);
    print('What commands would use', report.commands);
  }
}

if (import.meta.main) {
  await runCommand(main);
  process.exit(); // TensorFlow's and wasm's threads would keep it
}
