/**
 * What a recorded step computes and moves, counted without taking it: a bound on how fast any device of given rates
 * can take it.
 *
 * @module
 */
import type { Replay, Step } from '../../replay.ts';
import type { WebGPUBackend } from '../program.ts';
import type { KernelCall } from './kernel-calls.ts';
import { planBuffers } from './plan.ts';
import { recordStep } from './recording.ts';
import type { RecordedDispatch } from './stand-ins.ts';

/** Of one kernel call, or of all of one name. */
export interface Work {
  dispatches: number;
  /** Of matrix products and convolutions. */
  flops: number;
  /** Each buffer that a dispatch is given, read or written once: what it moves at least without a cache. */
  bytes: number;
}

/** The calls of a step that is replayed, in order. */
export type StepWork = readonly (Work & { name: string })[];

/** A replay that takes no step: it records the first of each kind and counts it. */
export function countingReplay(
  backend: WebGPUBackend,
  found: (kind: string, work: StepWork) => void,
): Replay {
  const seen = new Set<string>();
  return {
    take(kind: string, step: Step) {
      if (!seen.has(kind)) found(kind, countStep(backend, step));
      seen.add(kind);
      return { names: [], read: async () => new Float32Array() };
    },
    lag: 1,
    dispose() {},
  };
}

function countStep(backend: WebGPUBackend, step: Step): StepWork {
  const { repeated } = planBuffers(recordStep(backend, step), []);
  const calls = new Map<KernelCall | RecordedDispatch, Work & { name: string }>();
  for (const dispatch of repeated) {
    const { call } = dispatch;
    const key = call ?? dispatch;
    const work = calls.get(key) ?? {
      ...{ name: call?.name ?? 'other', dispatches: 0, flops: call?.flops ?? 0, bytes: 0 },
    };
    work.dispatches++;
    work.bytes += bytesOf(dispatch);
    calls.set(key, work);
  }
  return [...calls.values()];
}

function bytesOf({ bindings, written }: RecordedDispatch): number {
  const inPlace = bindings.slice(0, written).filter((binding) => binding instanceof GPUBuffer);
  const moved = [...new Set(bindings), ...inPlace]; // read and written
  return moved.reduce((sum, { size }) => sum + size, 0);
}
