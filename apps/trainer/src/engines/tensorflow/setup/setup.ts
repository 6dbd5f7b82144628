/**
 * `npm run setup:tensorflow`: gives `@tensorflow/tfjs-node-gpu` a current TensorFlow.
 *
 * The package's own install script downloads libtensorflow 2.9.1 for CUDA 11.2, which cannot drive
 * the GPUs of the last years. The libraries inside the Python wheel of TensorFlow offer the same C
 * interface, so the package's unmodified binding is compiled against those instead:
 *
 *     wheel (pip, into .cache/tensorflow)  →  deps/include, deps/lib (links)  →  node-pre-gyp
 *
 * Run on Linux x64 for the CPU with Node 22 and 24. The CUDA way (`--gpu`) has not been run on a
 * GPU yet: see {@link linkerFlags} for how the wheel's NVIDIA libraries are found. `--dry-run` shows what it
 * would do.
 *
 * @module
 */

import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '@killme/command-line';
import { UserError } from '@killme/model';
import type { Engine } from '../../engine.ts';
import { missingCudaLibraries } from '../cuda-libraries.ts';
import { bindingFiles, packageFolder, readRecord, type SetupRecord } from '../location.ts';
import { describeSetup } from './dry-run.ts';
import {
  findPython,
  headersOfNode,
  nodeGyp,
  requireCompiler,
  runLogged,
  succeeds,
} from './tools.ts';
import {
  type InstallOptions,
  installWheel,
  type PlannedWheels,
  plannedFrom,
  planWheels,
  TENSORFLOW_VERSION,
  type Wheel,
  wheelAt,
} from './wheel.ts';

const HELP = `npm run setup:tensorflow -- [options]

Builds the TensorFlow binding that training uses when it is there.

  --cpu              TensorFlow for the CPU (the default where no NVIDIA GPU is found)
  --gpu              TensorFlow with CUDA (the default where nvidia-smi runs)
  --tensorflow DIR   take the TensorFlow installed in this site-packages folder
  --python PATH      the Python to install with (3.10 to 3.13, with pip)
  --force            build again even if nothing changed
  --dry-run          print the wheels that pip would install, the binding's library folders, and what is missing
`;

/** The repository's root, four folders above this file. */
const ROOT = resolve(import.meta.dirname, '../../../../../..');
const CACHE = join(ROOT, '.cache', 'tensorflow');
const LOG = join(CACHE, 'setup.log');

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return void process.stdout.write(HELP);
  const folder = checkMachine();
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(LOG, '');
  if (options['dry-run']) {
    for (const line of describeSetup(await plan(options))) say(line);
    return;
  }

  const wheel = options.tensorflow ? wheelAt(options.tensorflow) : await installed(options);
  const record = recordOf(wheel);
  if (options.force || !isBuilt(folder, record)) await build(folder, wheel, options.python);
  report(await verify(), wheel);
  writeFileSync(bindingFiles(folder).record, `${JSON.stringify(record, null, 2)}\n`);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        cpu: { type: 'boolean' },
        gpu: { type: 'boolean' },
        tensorflow: { type: 'string' },
        python: { type: 'string' },
        force: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.cpu && values.gpu) throw new Error('--cpu and --gpu exclude each other');
    return values;
  } catch (error) {
    throw new UserError(`${(error as Error).message.split('. ')[0]} (see --help)`);
  }
}

/** Refuses what cannot work before anything is downloaded; returns the package's folder. */
function checkMachine(): string {
  if (process.platform !== 'linux') {
    throw new UserError(
      `the TensorFlow engine is set up on Linux only (this is ${process.platform}): train with --backend wasm or webgpu`,
    );
  }
  const folder = packageFolder();
  if (!folder) {
    throw new UserError(
      'the optional package @tensorflow/tfjs-node-gpu is missing: run npm install --include=optional',
    );
  }
  requireCompiler();
  return folder;
}

type Options = ReturnType<typeof readOptions>;

const installed = (options: Options): Promise<Wheel> => installWheel(installOptions(options));

async function plan(options: Options): Promise<PlannedWheels> {
  if (options.tensorflow) return plannedFrom(wheelAt(options.tensorflow));
  return planWheels(installOptions(options));
}

function installOptions({ cpu, gpu, python }: Options): InstallOptions {
  const cuda = gpu ?? (!cpu && succeeds('nvidia-smi', ['-L']));
  return { cuda, cache: CACHE, log: LOG, python };
}

function recordOf(wheel: Wheel): SetupRecord {
  return {
    tensorflow: wheel.version,
    libraries: wheel.folder,
    cuda: wheel.cuda,
    platform: `${process.platform}-${process.arch}`,
  };
}

/** The binding is a Node-API one: it need not be built again for another Node. */
function isBuilt(folder: string, record: SetupRecord): boolean {
  const files = bindingFiles(folder);
  const before = readRecord(files.record);
  return existsSync(files.binding) && JSON.stringify(before) === JSON.stringify(record);
}

async function build(folder: string, wheel: Wheel, python: string | undefined): Promise<void> {
  // Looked up first: a missing tool must not cost the binding that is there.
  const interpreter = findPython(python);
  const gyp = nodeGyp();
  say(`Building the binding for TensorFlow ${wheel.version} (a minute at most) …`);
  linkDependencies(folder, wheel);
  const tool = join(dirname(folder), '..', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp');
  const headers = headersOfNode();
  await runLogged(
    process.execPath,
    [
      tool,
      'install',
      '--build-from-source',
      `--python=${interpreter}`,
      ...(headers ? [`--nodedir=${headers}`] : []),
    ],
    {
      log: LOG,
      cwd: folder,
      env: { ...process.env, npm_config_node_gyp: gyp, LDFLAGS: linkerFlags(wheel) },
      failure: 'the binding could not be built',
    },
  );
}

/** Lays the wheel's headers and libraries where the package's binding.gyp looks for them. */
function linkDependencies(folder: string, wheel: Wheel): void {
  const { binding, include, lib, record } = bindingFiles(folder);
  for (const stale of [binding, dirname(record), join(folder, 'build')]) {
    rmSync(stale, { recursive: true, force: true });
  }
  mkdirSync(lib, { recursive: true });
  symlinkSync(join(wheel.folder, 'include'), include);
  const main = join(wheel.folder, 'libtensorflow_cc.so.2');
  const framework = join(wheel.folder, 'libtensorflow_framework.so.2');
  for (const name of ['libtensorflow.so', 'libtensorflow_cc.so.2']) {
    symlinkSync(main, join(lib, name));
  }
  for (const name of ['libtensorflow_framework.so', 'libtensorflow_framework.so.2']) {
    symlinkSync(framework, join(lib, name));
  }
}

/**
 * Writes the wheel's own folders into the binding as its search path, in front of the links in
 * `deps/lib`: a CUDA wheel's libraries look for NVIDIA's at `$ORIGIN/../nvidia/<part>/lib`, which
 * only holds if they are opened where they lie. `--disable-new-dtags` makes the path one that the
 * libraries inherit (RPATH rather than RUNPATH), for any of them that has no such path itself. So
 * nobody needs to set LD_LIBRARY_PATH, which a process cannot do for itself once it runs.
 */
function linkerFlags(wheel: Wheel): string {
  const paths = [wheel.folder, ...wheel.nvidiaFolders].map((path) => `-Wl,-rpath,${path}`);
  return ['-Wl,--disable-new-dtags', ...paths, process.env.LDFLAGS ?? ''].join(' ').trim();
}

/** Loads the binding in another process, so that a crash there is an error line here. */
async function verify(): Promise<Engine> {
  const script = join(import.meta.dirname, '../verify.ts');
  const output = await runLogged(process.execPath, [script], {
    log: LOG,
    cwd: ROOT,
    env: process.env,
    failure: 'the binding was built but does not run',
  });
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Engine;
}

function report(engine: Engine, wheel: Wheel): void {
  const { node, modules, napi } = process.versions;
  say(`TensorFlow is ready: ${engine.device}; Node ${node} (ABI ${modules}, Node-API ${napi}).`);
  if (wheel.version !== TENSORFLOW_VERSION) {
    say(`Note: Killme is tested with TensorFlow ${TENSORFLOW_VERSION}.`);
  }
  if (wheel.cuda && !engine.gpu)
    say(`Warning: TensorFlow has CUDA but finds no GPU: ${whyNoGpu(wheel)}.`);
}

function whyNoGpu({ folder }: Wheel): string {
  const missing = missingCudaLibraries(folder);
  if (missing.length > 0) return `missing ${missing.join(', ')}`;
  return 'check nvidia-smi and CUDA_VISIBLE_DEVICES, then run with TF_CPP_MIN_LOG_LEVEL=0 to see why';
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await runCommand(main);
