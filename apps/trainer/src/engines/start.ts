import { UserError } from '@killme/model';
import { registerTrainingKernels } from '@killme/model/training';
import { findDeno, inDeno } from './deno.ts';
import type { Engine } from './engine.ts';
import { findTensorflow } from './tensorflow/location.ts';
import { findWebgpu } from './webgpu/adapter.ts';

/** An engine by name, or the fastest that is there. */
export type EngineChoice = 'auto' | Engine['name'];

/** Thrown in Node when the engine is one that runs in Deno only: the program has to go on there. */
export class NeedsDeno extends Error {
  /** Deno's executable. */
  readonly deno: string;

  constructor(deno: string) {
    super('the webgpu engine runs in Deno');
    this.deno = deno;
  }
}

/**
 * Starts the engine asked for; `auto` takes the fastest that is there.
 * @param log gets one line: what was chosen, why, and how to get a faster one.
 * @throws UserError saying how to install an engine that is not there.
 * @throws NeedsDeno before anything is started or printed.
 */
export async function startEngine(
  backend: EngineChoice,
  log: (line: string) => void,
): Promise<Engine> {
  const { engine, reason } = await choose(backend);
  registerTrainingKernels(engine.name);
  log(`engine: ${engine.name} on ${engine.device} (${reason})`);
  return engine;
}

// Engines are loaded only when chosen: each registers a tfjs backend, and one brings a native library.
const startTensorflow = async () => (await import('./tensorflow/tensorflow.ts')).startTensorflow();

let wasm: Promise<Engine> | undefined;

/** Once in a process: a second backend would not know the tensors of the first. */
async function startWasm(): Promise<Engine> {
  wasm ??= import('./wasm/wasm.ts').then((engine) => engine.startWasm());
  return wasm;
}

async function startWebgpu(): Promise<Engine> {
  if (inDeno) return (await import('./webgpu/webgpu.ts')).startWebgpu();
  const deno = findDeno();
  if (deno) throw new NeedsDeno(deno);
  throw new UserError(
    'the webgpu engine runs in Deno, and the package deno has no program for this machine: ' +
      'run npm install --include=optional',
  );
}

const START = { tensorflow: startTensorflow, webgpu: startWebgpu, wasm: startWasm };

async function choose(backend: EngineChoice): Promise<{ engine: Engine; reason: string }> {
  if (backend !== 'auto') return { engine: await START[backend](), reason: 'asked for' };

  const tensorflow = findTensorflow();
  const canHaveGpu = tensorflow.available && tensorflow.record?.cuda !== false;
  const native = canHaveGpu ? await startTensorflow() : undefined;
  if (native?.gpu) return { engine: native, reason: 'the fastest that there is' };

  const webgpu = await findWebgpu();
  if (webgpu.available && !webgpu.software) {
    const faster = 'on an NVIDIA GPU TensorFlow may be faster: npm run setup:tensorflow';
    return { engine: await startWebgpu(), reason: `the GPU that WebGPU finds; ${faster}` };
  }

  const noGpu = `no GPU: ${webgpu.available ? `WebGPU has only ${webgpu.device}` : webgpu.reason}`;
  if (tensorflow.available) {
    return { engine: native ?? (await startTensorflow()), reason: `${noGpu}; one is far faster` };
  }
  const faster = `TensorFlow, which is faster: ${tensorflow.reason}; ${tensorflow.remedy}`;
  return { engine: await startWasm(), reason: `${noGpu}; ${faster}` };
}
