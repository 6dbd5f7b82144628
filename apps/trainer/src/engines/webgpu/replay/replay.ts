/**
 * Replays training steps on WebGPU: each kind of step is recorded once.
 *
 * @module
 */
import { formatBytes } from '../../../text/format-bytes.ts';
import { type Replay, type Step, type TakenStep, takeStep } from '../../replay.ts';
import type { WebGPUBackend } from '../program.ts';
import { type PreparedStep, prepareStep, type SharedBuffers } from './prepared-step.ts';
import { bufferOf, differenceOf, type Recording, recordStep } from './recording.ts';
import { flush } from './stand-ins.ts';
import { StepNumbers } from './step-numbers.ts';

interface Kind {
  /** Until it has been compared with that of another iteration. */
  recording: Recording | undefined;
  prepared: PreparedStep;
}

/**
 * @param check throws what has gone wrong on the device.
 * @param log gets a line for each kind of step: how it runs, and the GPU memory that it needs.
 */
export function createWebgpuReplay(
  backend: WebGPUBackend,
  check: () => void,
  log: (line: string) => void,
): Replay {
  const kinds = new Map<string, Kind | 'as it is'>();
  const shared: SharedBuffers = { buffers: [] };
  const numbers = new StepNumbers(backend.device);

  const asItIs = (kind: string, reason: string) => {
    kinds.set(kind, 'as it is');
    log(`step "${kind}" cannot be replayed: ${reason}`);
  };

  function prepare(kind: string, step: Step): Kind | undefined {
    const known = kinds.get(kind);
    if (known === 'as it is') return undefined;
    const recording = known && !known.recording ? undefined : tryRecord(kind, step);
    if (!known) return recording && begin(kind, recording);
    if (!known.recording) return known;
    if (!recording) return undefined;
    const difference = differenceOf(known.recording, recording);
    known.recording = undefined;
    if (difference === undefined) return known;
    known.prepared.dispose();
    asItIs(kind, `in another iteration ${difference}`);
    return undefined;
  }

  function tryRecord(kind: string, step: Step): Recording | undefined {
    try {
      return recordStep(backend, step);
    } catch (error) {
      asItIs(kind, (error as Error).message);
      return undefined;
    }
  }

  function begin(kind: string, recording: Recording): Kind {
    const prepared = prepareStep(backend, recording, shared);
    const entry = { recording, prepared };
    kinds.set(kind, entry);
    const sum = (buffers: readonly { size: number }[]) =>
      buffers.reduce((bytes, { size }) => bytes + size, 0);
    const own = [...kinds.values()].map((each) => (each === 'as it is' ? 0 : each.prepared.bytes));
    const [state, temporary] = [sum(recording.state), sum(shared.buffers)];
    const all = own.reduce((a, b) => a + b, state + temporary);
    log(
      `step "${kind}" recorded: ${prepared.dispatches} dispatches; GPU memory ${formatBytes(all)} ` +
        `(state ${formatBytes(state)}, temporary ${formatBytes(temporary)})`,
    );
    return entry;
  }

  function replay({ prepared }: Kind, step: Step): TakenStep {
    followState(backend, prepared, step);
    flush(backend);
    const slot = numbers.next();
    prepared.replay(slot);
    numbers.filled();
    const { names } = prepared;
    return {
      names,
      async read() {
        const values = await slot.read(names.length).catch((error: Error) => {
          check();
          throw error;
        });
        check();
        return values;
      },
    };
  }

  return {
    take(kind, step) {
      const prepared = prepare(kind, step);
      return prepared ? replay(prepared, step) : takeStep(step);
    },
    get lag() {
      return numbers.lag;
    },
    dispose() {
      numbers.dispose();
      for (const kind of kinds.values()) if (kind !== 'as it is') kind.prepared.dispose();
      for (const buffer of shared.buffers) buffer.destroy();
      kinds.clear();
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
