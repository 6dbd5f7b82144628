/**
 * `npm run setup:tensorflow -- --dry-run`: what would be installed and where the binding would look for its
 * libraries.
 *
 * @module
 */
import { join } from 'node:path';
import { CUDA_LIBRARIES, missingLibraries, nvidiaFolders } from '../cuda-libraries.ts';
import type { PlannedWheels, ResolvedWheel } from './wheel.ts';

/** @returns lines for people; `missing: …` last, where libraries do not open on this machine. */
export function describeSetup({
  version,
  cuda,
  sitePackages,
  wheels,
}: PlannedWheels & { wheels: readonly ResolvedWheel[] | undefined }): string[] {
  return [
    `TensorFlow ${version} ${cuda ? 'with CUDA' : 'for the CPU'}; --dry-run installs and builds nothing`,
    ...(wheels
      ? wheelLines(wheels, sitePackages)
      : [`wheels: installed already in ${sitePackages}`]),
    'search path that is linked into the binding (RPATH; LD_LIBRARY_PATH is not needed):',
    ...searchPath(sitePackages, wheels).map((folder) => `  ${folder}`),
    ...(cuda ? cudaLines(sitePackages, wheels) : []),
  ];
}

function wheelLines(wheels: readonly ResolvedWheel[], sitePackages: string): string[] {
  const widest = Math.max(...wheels.map((wheel) => nameOf(wheel).length));
  return [
    `wheels that pip would install into ${sitePackages}:`,
    ...wheels.map((wheel) => `  ${nameOf(wheel).padEnd(widest)}  ${wheel.url}`),
  ];
}

const nameOf = ({ name, version }: ResolvedWheel) => `${name}==${version}`;

/** Of wheels that are not there yet, as NVIDIA lays them out: nvidia-cuda-runtime-cu12 has nvidia/cuda_runtime/lib. */
function searchPath(sitePackages: string, wheels: readonly ResolvedWheel[] | undefined): string[] {
  const parts = wheels?.flatMap(({ name }) => /^nvidia-(.+)-cu\d+$/.exec(name)?.[1] ?? []);
  const nvidia = parts
    ?.filter((part) => part !== 'cuda-nvcc') // a compiler, no libraries
    .map((part) => join(sitePackages, 'nvidia', part.replaceAll('-', '_'), 'lib'));
  return [join(sitePackages, 'tensorflow'), ...(nvidia ?? nvidiaFolders(sitePackages))];
}

/** A library of a wheel that is yet to be installed is not missing. */
function cudaLines(sitePackages: string, wheels: readonly ResolvedWheel[] | undefined): string[] {
  const planned = new Set(wheels?.map(({ name }) => name));
  const present = CUDA_LIBRARIES.filter(({ from }) => !planned.has(from));
  const missing = missingLibraries(present, nvidiaFolders(sitePackages));
  const names = CUDA_LIBRARIES.map(({ name, from }) => `${name} (${from})`);
  return [
    `libraries that TensorFlow opens for a GPU: ${names.join(', ')}`,
    ...(missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
  ];
}
