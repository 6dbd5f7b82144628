import { registerTrainingKernels, UserError } from '@killme/model';
import type { Engine } from './engines/engine.ts';
import { findTensorflow } from './engines/tensorflow-location.ts';

/** An engine by name, or the fastest that is there. */
export type EngineChoice = 'auto' | Engine['name'];

/**
 * Starts the engine asked for; `auto` takes the fastest that is there.
 * @param log gets one line: what was chosen, why, and how to get a faster one.
 * @throws UserError saying how to install an engine that is not there.
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
const startTensorflow = async () => (await import('./engines/tensorflow.ts')).startTensorflow();
const startWasm = async () => (await import('./engines/wasm.ts')).startWasm();

async function choose(backend: EngineChoice): Promise<{ engine: Engine; reason: string }> {
  if (backend === 'tensorflow') {
    return { engine: await startTensorflow(), reason: 'asked for' };
  }
  if (backend === 'wasm') return { engine: await startWasm(), reason: 'asked for' };
  if (backend === 'webgpu') {
    throw new UserError('--backend webgpu does not exist yet: use tensorflow or wasm');
  }
  const tensorflow = findTensorflow();
  if (tensorflow.available) {
    const engine = await startTensorflow();
    const faster = engine.gpu ? '' : '; an NVIDIA GPU would be far faster';
    return { engine, reason: `the fastest that is set up${faster}` };
  }
  return {
    engine: await startWasm(),
    reason: `${tensorflow.reason}; faster: ${tensorflow.remedy}`,
  };
}
