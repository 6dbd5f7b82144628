/**
 * Which buffers a recorded step needs: temporary ones share memory where they are not needed at once,
 * what never changes is computed once, what nobody reads is not computed.
 *
 * @module
 */
import { isConstant, type Recording } from './recording.ts';
import { type RecordedBinding, RecordedBuffer, type RecordedDispatch } from './stand-ins.ts';

export interface Plan {
  /** Taken once, before the first replay: their outputs are the same in every iteration. */
  once: readonly RecordedDispatch[];
  /** Taken in every replay. */
  repeated: readonly RecordedDispatch[];
  /** Written by the host once. */
  constants: readonly (RecordedBuffer & { contents: ArrayBuffer })[];
  /** Written by the dispatches that are taken once. */
  precomputed: readonly RecordedBuffer[];
  /** Sizes in bytes of the buffers that temporary ones share. */
  shared: readonly number[];
  /** Of each temporary buffer the index of its shared one. */
  place: ReadonlyMap<RecordedBuffer, number>;
}

/** @param shared sizes of shared buffers that are there already; the plan takes them first. */
export function planBuffers(recording: Recording, shared: readonly number[]): Plan {
  const fed = new Set<RecordedBinding>(recording.feeds.map(({ buffer }) => buffer));
  const needed = neededDispatches(recording);
  const { once, repeated } = splitConstant(needed, fed);
  const precomputed = once.map(({ bindings }) => bindings[0] as RecordedBuffer);
  const read = new Set(needed.flatMap(({ bindings }) => bindings));
  const constants = [...read].filter(isConstant).filter((buffer) => !fed.has(buffer));
  const lives = livesOf(recording, repeated, new Set([...fed, ...precomputed]));
  return { once, repeated, constants, precomputed, ...share(lives, shared) };
}

/** Without those whose output is neither read nor kept. */
function neededDispatches({ dispatches, values, nextState }: Recording): RecordedDispatch[] {
  const wanted = new Set<RecordedBinding>([values, ...nextState]);
  const needed: RecordedDispatch[] = [];
  for (const dispatch of dispatches.toReversed()) {
    const outputs = dispatch.bindings.slice(0, dispatch.written);
    if (!outputs.some((output) => wanted.has(output) || output instanceof GPUBuffer)) continue;
    for (const input of dispatch.bindings) wanted.add(input);
    needed.push(dispatch);
  }
  return needed.reverse();
}

/** Those that depend on constants alone, and the others. */
function splitConstant(dispatches: readonly RecordedDispatch[], fed: Set<RecordedBinding>) {
  const fixed = new Set<RecordedBinding>();
  const writes = new Map<RecordedBinding, number>();
  for (const { bindings, written } of dispatches) {
    for (const output of bindings.slice(0, written)) {
      writes.set(output, (writes.get(output) ?? 0) + 1);
    }
  }
  const [once, repeated]: [RecordedDispatch[], RecordedDispatch[]] = [[], []];
  for (const dispatch of dispatches) {
    const [output, ...inputs] = dispatch.bindings;
    const constant =
      dispatch.written === 1 &&
      writes.get(output!) === 1 && // a sum begins with zeros in the same buffer, anew each time
      output instanceof RecordedBuffer &&
      inputs.every((input) => fixed.has(input) || (isConstant(input) && !fed.has(input)));
    if (constant) fixed.add(output);
    (constant ? once : repeated).push(dispatch);
  }
  return { once, repeated };
}

interface Life {
  buffer: RecordedBuffer;
  /** Index of the dispatch that writes it. */
  first: number;
  /** Index of the last dispatch that reads it. */
  last: number;
}

function livesOf(
  { values, nextState }: Recording,
  dispatches: readonly RecordedDispatch[],
  permanent: ReadonlySet<RecordedBinding>,
): Life[] {
  const lives = new Map<RecordedBuffer, Life>();
  for (const [at, { bindings }] of dispatches.entries()) {
    for (const buffer of bindings) {
      if (!(buffer instanceof RecordedBuffer) || permanent.has(buffer) || isConstant(buffer))
        continue;
      const life = lives.get(buffer) ?? { buffer, first: at, last: at };
      life.last = at;
      lives.set(buffer, life);
    }
  }
  for (const kept of [values, ...nextState]) {
    const life = kept instanceof RecordedBuffer ? lives.get(kept) : undefined;
    if (life) life.last = dispatches.length;
  }
  return [...lives.values()];
}

/** The largest first, each in the smallest shared buffer in which nothing else lives at its time. */
function share(lives: readonly Life[], given: readonly number[]) {
  const sizes = [...given];
  const occupants: Life[][] = sizes.map(() => []);
  const place = new Map<RecordedBuffer, number>();
  for (const life of lives.toSorted((a, b) => b.buffer.size - a.buffer.size)) {
    const fits = (index: number) =>
      sizes[index]! >= life.buffer.size &&
      occupants[index]!.every(({ first, last }) => last < life.first || first > life.last);
    const free = [...sizes.keys()].filter(fits);
    let index = free.sort((a, b) => sizes[a]! - sizes[b]!)[0];
    if (index === undefined) {
      index = sizes.push(life.buffer.size) - 1;
      occupants.push([]);
    }
    occupants[index]!.push(life);
    place.set(life.buffer, index);
  }
  return { shared: sizes, place };
}
