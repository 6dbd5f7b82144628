/**
 * The kinds of step of a training: each is recorded in its first iteration and compared with a recording
 * of the next one, because only what is the same in both can be replayed.
 *
 * @module
 */
import { formatBytes } from '../../../text/format-bytes.ts';
import type { Step } from '../../replay.ts';
import type { WebGPUBackend } from '../program.ts';
import { type PreparedStep, prepareStep, type SharedBuffers } from './prepared-step.ts';
import { differenceOf, type Recording, recordStep } from './recording.ts';

interface Kind {
  /** Until it has been compared with that of another iteration. */
  recording: Recording | undefined;
  prepared: PreparedStep;
}

/** @param log gets a line for each kind of step: how it runs, and the GPU memory that it needs. */
export function createStepKinds(backend: WebGPUBackend, log: (line: string) => void) {
  const kinds = new Map<string, Kind | 'as it is'>();
  const shared: SharedBuffers = { buffers: [] };

  const asItIs = (kind: string, reason: string) => {
    kinds.set(kind, 'as it is');
    log(`step "${kind}" cannot be replayed: ${reason}`);
    return undefined;
  };

  function tryRecord(kind: string, step: Step): Recording | undefined {
    try {
      return recordStep(backend, step);
    } catch (error) {
      return asItIs(kind, (error as Error).message);
    }
  }

  function begin(kind: string, recording: Recording): PreparedStep {
    const prepared = prepareStep(backend, recording, shared);
    kinds.set(kind, { recording, prepared });
    const own = [...kinds.values()].map((each) => (each === 'as it is' ? 0 : each.prepared.bytes));
    log(`step "${kind}" recorded: ${describe({ prepared, recording, shared, own })}`);
    return prepared;
  }

  return {
    /** @returns the step of a kind to replay; none when it has to be taken as it is. */
    prepare(kind: string, step: Step): PreparedStep | undefined {
      const known = kinds.get(kind);
      if (known === 'as it is') return undefined;
      if (known && !known.recording) return known.prepared;
      const recording = tryRecord(kind, step);
      if (!recording) {
        known?.prepared.dispose();
        return undefined;
      }
      if (!known?.recording) return begin(kind, recording);
      const difference = differenceOf(known.recording, recording);
      known.recording = undefined;
      if (difference === undefined) return known.prepared;
      known.prepared.dispose();
      return asItIs(kind, `in another iteration ${difference}`);
    },

    dispose(): void {
      for (const kind of kinds.values()) if (kind !== 'as it is') kind.prepared.dispose();
      for (const buffer of shared.buffers) buffer.destroy();
      kinds.clear();
    },
  };
}

/** @param own bytes that the prepared steps of all kinds have for themselves. */
function describe({
  prepared,
  recording,
  shared,
  own,
}: {
  prepared: PreparedStep;
  recording: Recording;
  shared: SharedBuffers;
  own: readonly number[];
}): string {
  const sum = (buffers: readonly { size: number }[]) =>
    buffers.reduce((bytes, { size }) => bytes + size, 0);
  const [state, temporary] = [sum(recording.state), sum(shared.buffers)];
  const all = own.reduce((a, b) => a + b, state + temporary);
  return (
    `${prepared.dispatches} dispatches; GPU memory ${formatBytes(all)} ` +
    `(state ${formatBytes(state)}, temporary ${formatBytes(temporary)})`
  );
}
