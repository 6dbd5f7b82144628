/**
 * A training step as data: what it would dispatch, and where each of its buffers comes from.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { type FeedValues, feedTensor, withFeedRecorder } from '../../feed.ts';
import type { Step } from '../../replay.ts';
import type { WebGPUBackend } from '../program.ts';
import {
  type RecordedBinding,
  RecordedBuffer,
  type RecordedDispatch,
  recordDispatches,
} from './stand-ins.ts';

/** Numbers from the host, which are others in every iteration. */
export interface RecordedFeed {
  buffer: RecordedBuffer;
  values: () => FeedValues;
}

export interface Recording {
  dispatches: readonly RecordedDispatch[];
  feeds: readonly RecordedFeed[];
  /** The buffers of the step's state when it was recorded, by slot. */
  state: readonly GPUBuffer[];
  /** What each slot of the state holds after the step. */
  nextState: readonly RecordedBinding[];
  names: readonly string[];
  /** The step's numbers. */
  values: RecordedBuffer;
}

/**
 * Records a step without taking it: no shader runs, and the state stays as it is.
 * @throws Error where the step does what cannot be replayed, such as reading a tensor.
 */
export function recordStep(backend: WebGPUBackend, step: Step): Recording {
  const state = step.state.map((slot) => bufferOf(backend, slot.read()));
  if (new Set(state).size < state.length)
    throw new Error('two tensors of the state share a buffer');
  const feeds: RecordedFeed[] = [];
  const recordFeed = (shape: readonly number[], values: () => FeedValues) => {
    const tensor = feedTensor(shape, values());
    backend.uploadToGPU(tensor.dataId);
    feeds.push({ buffer: bufferOf(backend, tensor) as unknown as RecordedBuffer, values });
    return tensor;
  };
  const restore = lendState(step);
  try {
    const { result, dispatches } = recordDispatches(backend, () =>
      withFeedRecorder(recordFeed, () => {
        const { names, values } = step.run();
        const resources = step.state.map((slot) => bufferOf(backend, slot.read()));
        const numbers = bufferOf(backend, values) as unknown as RecordedBuffer;
        values.dispose();
        return { names, values: numbers, nextState: resources };
      }),
    );
    return { ...result, dispatches, feeds, state };
  } finally {
    restore();
  }
}

/** Puts clones of the state in its place, which the step may dispose of. @returns what undoes it. */
function lendState({ state, keepCounts }: Step): () => void {
  const restoreCounts = keepCounts();
  const own = state.map((slot) => slot.read());
  for (const [i, slot] of state.entries()) slot.write(tf.keep(tf.clone(own[i]!)));
  return () => {
    for (const [i, slot] of state.entries()) {
      slot.read().dispose();
      slot.write(own[i]!);
    }
    restoreCounts();
  };
}

/** The buffer of a tensor, which is brought to the device if it is not there yet. */
export function bufferOf(backend: WebGPUBackend, { dataId }: tf.Tensor): GPUBuffer {
  backend.uploadToGPU(dataId);
  return backend.tensorMap.get(dataId).resource as GPUBuffer;
}

/**
 * Why two recordings of one kind of step are not the same but for their feeds; undefined where they are.
 * A number of the host that is no feed, and changes, is found here.
 */
export function differenceOf(first: Recording, second: Recording): string | undefined {
  const { dispatches } = first;
  if (
    dispatches.length !== second.dispatches.length ||
    first.feeds.length !== second.feeds.length
  ) {
    return `${dispatches.length} dispatches, then ${second.dispatches.length}`;
  }
  const places = [first, second].map(numberBuffers) as [Places, Places];
  for (const [i, a] of dispatches.entries()) {
    const b = second.dispatches[i]!;
    const what = differenceOfDispatches(a, b, places);
    if (what) return `dispatch ${i} (${a.pipeline.label || 'a shader'}) has another ${what}`;
  }
  const next = first.nextState.every((a, i) => places[0](a) === places[1](second.nextState[i]!));
  return next ? undefined : 'the state is left in other buffers';
}

type Places = (binding: RecordedBinding) => number | GPUBuffer;

function differenceOfDispatches(
  a: RecordedDispatch,
  b: RecordedDispatch,
  [placeOf, otherPlaceOf]: [Places, Places],
): string | undefined {
  if (a.pipeline !== b.pipeline) return 'shader';
  if (a.workgroups.some((count, i) => count !== b.workgroups[i])) return 'number of workgroups';
  if (!equalBytes(a.uniforms, b.uniforms)) return 'uniform';
  for (const [i, binding] of a.bindings.entries()) {
    const other = b.bindings[i]!;
    if (placeOf(binding) !== otherPlaceOf(other)) return 'buffer';
    if (isConstant(binding) !== isConstant(other)) return 'buffer';
    if (placeOf(binding) === FED || !isConstant(binding)) continue;
    const [mine, theirs] = [binding, other as RecordedBuffer];
    if (!equalBytes(mine.contents!, theirs.contents!)) return 'constant';
  }
  return undefined;
}

export function isConstant(
  binding: RecordedBinding,
): binding is RecordedBuffer & { contents: ArrayBuffer } {
  return binding instanceof RecordedBuffer && binding.contents !== undefined;
}

/** In place of a number: the buffer of a feed. Feeds come in the same order, so their number is enough. */
const FED = -1;

/** Numbers buffers in the order in which dispatches name them. */
function numberBuffers({ feeds, dispatches }: Recording): Places {
  const fed = new Set<RecordedBinding>(feeds.map(({ buffer }) => buffer));
  const numbers = new Map<RecordedBinding, number>();
  for (const { bindings } of dispatches) {
    for (const binding of bindings) {
      if (!numbers.has(binding)) numbers.set(binding, numbers.size);
    }
  }
  return (binding) => {
    if (!(binding instanceof RecordedBuffer)) return binding;
    return fed.has(binding) ? FED : (numbers.get(binding) ?? FED);
  };
}

function equalBytes(a: ArrayBuffer, b: ArrayBuffer): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const [left, right] = [new Uint8Array(a), new Uint8Array(b)];
  return left.every((byte, i) => byte === right[i]);
}
