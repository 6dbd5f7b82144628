/**
 * The NVIDIA libraries that TensorFlow opens at run time, and which of them this machine lacks. TensorFlow by
 * itself goes on on the CPU without saying which one is missing.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What brings a library that TensorFlow opens by its name. */
export interface CudaLibrary {
  /** `libcudnn.so.9` */
  name: string;
  /** The pip package, or the driver. */
  from: string;
}

/**
 * Those without which TensorFlow 2.21 registers no GPU (`MaybeTryDlopenGPULibraries` in tsl's dlopen_checker.cc),
 * in the versions of its `and-cuda` extra (CUDA 12, cuDNN 9), and the driver's.
 */
export const CUDA_LIBRARIES: readonly CudaLibrary[] = [
  { name: 'libcuda.so.1', from: 'the NVIDIA driver' },
  { name: 'libcudart.so.12', from: 'nvidia-cuda-runtime-cu12' },
  { name: 'libcublas.so.12', from: 'nvidia-cublas-cu12' },
  { name: 'libcublasLt.so.12', from: 'nvidia-cublas-cu12' },
  { name: 'libcufft.so.11', from: 'nvidia-cufft-cu12' },
  { name: 'libcusolver.so.11', from: 'nvidia-cusolver-cu12' },
  { name: 'libcusparse.so.12', from: 'nvidia-cusparse-cu12' },
  { name: 'libcudnn.so.9', from: 'nvidia-cudnn-cu12' },
];

/** `site-packages/nvidia/<part>/lib`, where NVIDIA's wheels put their libraries; those that are there. */
export function nvidiaFolders(sitePackages: string): string[] {
  const nvidia = join(sitePackages, 'nvidia');
  if (!existsSync(nvidia)) return [];
  return readdirSync(nvidia)
    .map((part) => join(nvidia, part, 'lib'))
    .filter((folder) => existsSync(folder));
}

/**
 * Opens each library as TensorFlow does: from the folders given, else wherever the system finds it.
 * @returns a phrase for each that does not open: `libcudnn.so.9 (of nvidia-cudnn-cu12)`; where it is there but
 * needs another that is missing, with the words of the dynamic linker.
 */
export function missingLibraries(
  libraries: readonly CudaLibrary[],
  folders: readonly string[],
): string[] {
  return libraries.flatMap(({ name, from }) => {
    const path = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
    const reason = whyNotOpened(path ?? name);
    if (reason === undefined) return [];
    const absent = reason.startsWith(`${name}: cannot open shared object file`);
    return absent ? `${name} (of ${from})` : `${name} (of ${from}: ${reason})`;
  });
}

/** What of TensorFlow's CUDA libraries is missing. @param folder the wheel's `tensorflow` folder. */
export function missingCudaLibraries(folder: string): string[] {
  return missingLibraries(CUDA_LIBRARIES, nvidiaFolders(dirname(folder)));
}

/** The dynamic linker's words; undefined where it opens the library. */
function whyNotOpened(file: string): string | undefined {
  try {
    process.dlopen({ exports: {} }, file);
  } catch (error) {
    const [line = ''] = (error as Error).message.split('\n');
    // Node's own complaint, after the library was opened: it is no addon.
    if (!line.startsWith('Module did not self-register')) return line;
  }
  return undefined;
}
