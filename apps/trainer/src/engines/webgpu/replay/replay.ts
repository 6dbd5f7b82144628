/**
 * Replays training steps on WebGPU: each kind of step is recorded once.
 *
 * @module
 */
import { type Replay, type Step, type TakenStep, takeStep } from '../../replay.ts';
import type { Failures } from '../failures.ts';
import type { WebGPUBackend } from '../program.ts';
import type { PreparedStep } from './prepared-step.ts';
import { bufferOf } from './recording.ts';
import { flush } from './stand-ins.ts';
import { createStepKinds } from './step-kinds.ts';
import { StepNumbers } from './step-numbers.ts';

/**
 * @param failures says what has gone wrong on the device.
 * @param log gets a line for each kind of step: how it runs, and the GPU memory that it needs.
 */
export function createWebgpuReplay(
  backend: WebGPUBackend,
  failures: Failures,
  log: (line: string) => void,
): Replay {
  const kinds = createStepKinds(backend, log);
  const numbers = new StepNumbers(backend.device);

  function replay(prepared: PreparedStep, step: Step): TakenStep {
    followState(backend, prepared, step);
    flush(backend);
    const slot = numbers.next();
    prepared.replay(slot);
    numbers.filled();
    const { names } = prepared;
    return {
      names,
      read: () => failures.read(slot.read(names.length)),
    };
  }

  return {
    take(kind, step) {
      const prepared = kinds.prepare(kind, step);
      return prepared ? replay(prepared, step) : takeStep(step);
    },
    get lag() {
      return numbers.lag;
    },
    dispose() {
      numbers.dispose();
      kinds.dispose();
    },
  };
}

/**
 * Binds a step to the buffers that the state is in now: whatever else changed the state may have replaced
 * them. What tfjs has read of them before is forgotten, because the step writes into them.
 */
function followState(backend: WebGPUBackend, prepared: PreparedStep, { state }: Step): void {
  let moved = false;
  for (const [i, slot] of state.entries()) {
    const data = backend.tensorMap.get(slot.read().dataId) as {
      resource: unknown;
      values: unknown;
    };
    moved ||= data.resource !== prepared.state[i];
    if (data.resource) data.values = null;
  }
  if (moved) prepared.bind(state.map((slot) => bufferOf(backend, slot.read())));
}
