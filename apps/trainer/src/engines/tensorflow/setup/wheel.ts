/**
 * The TensorFlow wheel: installed by pip into a folder of its own, or one that is there already.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { z } from 'zod';
import { nvidiaFolders } from '../cuda-libraries.ts';
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
  const { cuda } = options;
  const target = targetOf(options);
  if (existsSync(target)) return wheelAt(target);

  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  await pipInstall([requirement(cuda)], partial, options);
  if (cuda) await pipInstall(cudaRequirements(requirementsIn(partial)), partial, options);
  prune(join(partial, 'tensorflow'));
  renameSync(partial, target);
  return wheelAt(target);
}

const targetOf = ({ cuda, cache }: InstallOptions) =>
  join(cache, `${TENSORFLOW_VERSION}-${cuda ? 'cuda' : 'cpu'}`);

/** `tensorflow-cpu` exists for x64 only; elsewhere `tensorflow` has no CUDA inside anyway. */
function requirement(cuda: boolean): string {
  const name = cuda || process.arch !== 'x64' ? 'tensorflow' : 'tensorflow-cpu';
  return `${name}==${TENSORFLOW_VERSION}`;
}

async function pipInstall(
  requirements: string[],
  target: string,
  options: InstallOptions,
): Promise<void> {
  process.stdout.write(`Installing ${requirements.join(' ')} with pip …\n`);
  await pip([...WHEELS_ALONE, '--no-compile', '--target', target, ...requirements], options);
}

const WHEELS_ALONE = ['--no-deps', '--only-binary=:all:'];

/** @returns what `pip install` prints. */
async function pip(
  parameters: string[],
  { python, log, cache }: Pick<InstallOptions, 'python' | 'log' | 'cache'>,
): Promise<string> {
  return runLogged(findPython(python, { forPip: true }), ['-m', 'pip', 'install', ...parameters], {
    log,
    cwd: cache,
    env: process.env,
    failure: 'pip could not install TensorFlow',
  });
}

/** A wheel that pip would install. */
export interface ResolvedWheel {
  name: string;
  version: string;
  url: string;
}

/** What the setup would use. */
export interface PlannedWheels {
  version: string;
  cuda: boolean;
  /** Where they are, or would be. */
  sitePackages: string;
  /** What pip would install; undefined where they are there. */
  wheels: ResolvedWheel[] | undefined;
}

/** The wheels that {@link installWheel} would install, as pip resolves them without installing. */
export async function planWheels(options: InstallOptions): Promise<PlannedWheels> {
  const { cuda } = options;
  const target = targetOf(options);
  if (existsSync(target)) return plannedFrom(wheelAt(target));
  const [tensorflow] = await resolveWheels([requirement(cuda)], options);
  const nvidia = cuda ? cudaRequirements(tensorflow!.requires) : [];
  const resolved = nvidia.length > 0 ? await resolveWheels(nvidia, options) : [];
  const wheels = [tensorflow!, ...resolved];
  return { version: tensorflow!.version, cuda, sitePackages: target, wheels };
}

/** The same of a wheel that is there. */
export function plannedFrom({ version, cuda, folder }: Wheel): PlannedWheels {
  return { version, cuda, sitePackages: dirname(folder), wheels: undefined };
}

/** pip's installation report (https://pip.pypa.io/en/stable/reference/installation-report/). */
const reportSchema = z.object({
  install: z
    .array(
      z.object({
        download_info: z.object({ url: z.string() }),
        metadata: z.object({
          name: z.string(),
          version: z.string(),
          requires_dist: z.array(z.string()).default([]),
        }),
      }),
    )
    .min(1),
});

async function resolveWheels(
  requirements: string[],
  options: InstallOptions,
): Promise<(ResolvedWheel & { requires: string[] })[]> {
  const report = ['--dry-run', '--ignore-installed', '--quiet', '--report', '-'];
  const printed = await pip([...WHEELS_ALONE, ...report, ...requirements], options);
  return reportSchema.parse(JSON.parse(printed)).install.map(({ download_info, metadata }) => ({
    name: metadata.name,
    version: metadata.version,
    url: download_info.url,
    requires: metadata.requires_dist,
  }));
}

function requirementsIn(sitePackages: string): string[] {
  const metadata = readFileSync(join(distInfo(sitePackages), 'METADATA'), 'utf8');
  return Array.from(metadata.matchAll(/^Requires-Dist: (.*)$/gm), ([, line]) => line as string);
}

/** NVIDIA's libraries in the versions that the wheel names: its `and-cuda` extra. */
function cudaRequirements(requirements: readonly string[]): string[] {
  const extra = /^(nvidia-\S+)\s*;.*extra == ["']and-cuda["']/;
  return requirements.flatMap((requirement) => extra.exec(requirement)?.[1] ?? []);
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
  const nvidia = nvidiaFolders(sitePackages);
  return { folder, version, cuda: nvidia.length > 0, nvidiaFolders: nvidia };
}

function distInfo(sitePackages: string): string {
  const name = readdirSync(sitePackages).find((entry) =>
    /^tensorflow(_cpu)?-[^-]+\.dist-info$/.test(entry),
  );
  if (!name)
    throw new UserError(`${sitePackages} has no tensorflow-*.dist-info: no version to read`);
  return join(sitePackages, name);
}
