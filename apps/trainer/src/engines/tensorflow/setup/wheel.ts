/**
 * The TensorFlow wheel: installed by pip into a folder of its own, or one that is there already.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { findPython, runLogged } from './tools.ts';

/** The release that Killme is tested with. */
export const TENSORFLOW_VERSION = '2.21.0';

export interface Wheel {
  /** The folder `tensorflow` inside site-packages, with its libraries and `include`. */
  folder: string;
  version: string;
  cuda: boolean;
  /** `site-packages/nvidia/<part>/lib`; empty without CUDA. */
  nvidiaFolders: string[];
}

export interface InstallOptions {
  cuda: boolean;
  /** The folder that gets a folder for each variant. */
  cache: string;
  log: string;
  python: string | undefined;
}

/**
 * Installs TensorFlow with pip unless it is there from an earlier run. Only the libraries and the
 * headers are wanted, so nothing that the wheel needs in Python comes along (`--no-deps`), and with
 * CUDA only NVIDIA's libraries.
 */
export async function installWheel(options: InstallOptions): Promise<Wheel> {
  const { cuda, cache } = options;
  const target = join(cache, `${TENSORFLOW_VERSION}-${cuda ? 'cuda' : 'cpu'}`);
  if (existsSync(target)) return wheelAt(target);

  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  await pipInstall([requirement(cuda)], partial, options);
  if (cuda) await pipInstall(cudaRequirements(partial), partial, options);
  prune(join(partial, 'tensorflow'));
  renameSync(partial, target);
  return wheelAt(target);
}

/** `tensorflow-cpu` exists for x64 only; elsewhere `tensorflow` has no CUDA inside anyway. */
function requirement(cuda: boolean): string {
  const name = cuda || process.arch !== 'x64' ? 'tensorflow' : 'tensorflow-cpu';
  return `${name}==${TENSORFLOW_VERSION}`;
}

async function pipInstall(
  requirements: string[],
  target: string,
  { python, log, cache }: InstallOptions,
): Promise<void> {
  process.stdout.write(`Installing ${requirements.join(' ')} with pip …\n`);
  const options = ['--no-deps', '--no-compile', '--only-binary=:all:', '--target', target];
  await runLogged(
    findPython(python, { forPip: true }),
    ['-m', 'pip', 'install', ...options, ...requirements],
    { log, cwd: cache, env: process.env, failure: 'pip could not install TensorFlow' },
  );
}

/** NVIDIA's libraries in the versions that the wheel names: its `and-cuda` extra. */
function cudaRequirements(sitePackages: string): string[] {
  const metadata = readFileSync(join(distInfo(sitePackages), 'METADATA'), 'utf8');
  const extra = /^Requires-Dist: (nvidia-\S+)\s*;.*extra == ["']and-cuda["']/gm;
  return Array.from(metadata.matchAll(extra), ([, requirement]) => requirement as string);
}

/** Throws away the wheel's Python part: 0.4 of its 1.3 GB. */
function prune(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name !== 'include' && !name.startsWith('libtensorflow')) {
      rmSync(join(folder, name), { recursive: true });
    }
  }
}

/**
 * Describes the TensorFlow in a site-packages folder.
 *
 * @throws UserError if it has none, or one without the libraries to link against.
 */
export function wheelAt(path: string): Wheel {
  // npm runs scripts in the package's folder; people name paths from the one they are in.
  const given = userPath(path);
  const sitePackages = basename(given) === 'tensorflow' ? resolve(given, '..') : given;
  const folder = join(sitePackages, 'tensorflow');
  for (const needed of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'include']) {
    if (!existsSync(join(folder, needed))) {
      throw new UserError(
        `${sitePackages} has no tensorflow/${needed}: --tensorflow must name the site-packages folder of a TensorFlow 2 wheel`,
      );
    }
  }
  const version = /-([^-]+)\.dist-info$/.exec(distInfo(sitePackages))?.[1] as string;
  const nvidiaFolders = nvidiaLibraries(sitePackages);
  return { folder, version, cuda: nvidiaFolders.length > 0, nvidiaFolders };
}

function distInfo(sitePackages: string): string {
  const name = readdirSync(sitePackages).find((entry) =>
    /^tensorflow(_cpu)?-[^-]+\.dist-info$/.test(entry),
  );
  if (!name)
    throw new UserError(`${sitePackages} has no tensorflow-*.dist-info: no version to read`);
  return join(sitePackages, name);
}

function nvidiaLibraries(sitePackages: string): string[] {
  const nvidia = join(sitePackages, 'nvidia');
  if (!existsSync(nvidia)) return [];
  return readdirSync(nvidia)
    .map((part) => join(nvidia, part, 'lib'))
    .filter((folder) => existsSync(folder));
}
