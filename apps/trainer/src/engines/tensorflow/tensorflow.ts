/**
 * The `tensorflow` engine: tfjs-core's ops carried out by the native TensorFlow library, on an
 * NVIDIA GPU when the library was set up for CUDA and finds one, else on all CPU cores.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import util from 'node:util';
import { UserError } from '@killme/model';
import { backend, type KernelBackend, setBackend } from '@tensorflow/tfjs-core';
import type { Engine } from '../engine.ts';
import { missingCudaLibraries } from './cuda-libraries.ts';
import { registerTensorflowKernels } from './kernels.ts';
import { findTensorflow, type SetupRecord } from './location.ts';

export { findTensorflow } from './location.ts';

/** The part of tfjs-node's backend class that is read here. */
type NodeBackend = KernelBackend & {
  isUsingGpuDevice: boolean;
  binding: { TF_Version: string };
};

/**
 * Loads the native binding, makes `tensorflow` the current backend and gives it the training
 * kernels that TensorFlow has ready-made.
 *
 * @param options.kernels false leaves the backend as tfjs has it, to compare with.
 * @throws UserError with the command that mends it where TensorFlow is not set up or cannot load.
 */
export async function startTensorflow({ kernels = true } = {}): Promise<Engine> {
  const found = findTensorflow();
  if (!found.available) {
    throw new UserError(`TensorFlow is not available: ${found.reason}. Run: ${found.remedy}`);
  }
  mendNodeUtil();
  await loadBinding();
  await setBackend('tensorflow');
  if (kernels) registerTensorflowKernels();
  return describe(backend() as NodeBackend, found.record);
}

/** tfjs-node 4.22 calls two helpers that Node 23 removed, or warns of. */
function mendNodeUtil(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}

/**
 * Importing the package registers the backend with the same tfjs-core instance that we import: both
 * resolve to `dist/tf-core.node.js` in Node.
 */
async function loadBinding(): Promise<void> {
  // Without it TensorFlow writes a screenful about oneDNN and CPU features to stderr.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    await import('@tensorflow/tfjs-node-gpu');
  } catch (error) {
    const cause = (error as Error).message.split('\n')[0];
    throw new UserError(
      `TensorFlow does not load: ${cause}. Run: npm run setup:tensorflow -- --force`,
    );
  }
}

function describe(
  { isUsingGpuDevice: gpu, binding }: NodeBackend,
  record: SetupRecord | undefined,
): Engine {
  const version = `TensorFlow ${binding.TF_Version}`;
  const threads = Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism();
  const device = gpu ? gpuName() : `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const missing = record?.cuda && !gpu ? missingCudaLibraries(record.libraries) : [];
  const lacking = missing.length > 0 ? `; no GPU: missing ${missing.join(', ')}` : '';
  return { name: 'tensorflow', device: `${device}, ${version}${lacking}`, gpu };
}

/** The product name of the GPU that TensorFlow takes: the first of those it may see. */
function gpuName(): string {
  const first = process.env.CUDA_VISIBLE_DEVICES?.split(',')[0] || '0';
  const query = ['--query-gpu=name', '--format=csv,noheader', `--id=${first}`];
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync('nvidia-smi', query, { encoding: 'utf8', stdio }).trim();
  } catch {
    return 'NVIDIA GPU';
  }
}
