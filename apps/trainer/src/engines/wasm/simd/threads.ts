/**
 * Threads for the loops of `kernels.wasm`: each holds an instance of the module over tfjs's
 * memory, sleeps until there is a job, and takes its items together with the main thread.
 *
 * @module
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** What the module exports: numbers in, memory changed. */
export type Loops = Record<string, (...values: number[]) => void>;

/** What a thread is started with. */
export interface ThreadData {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** int32 words, see {@link WORDS}. */
  control: SharedArrayBuffer;
  /** float64: the job's arguments. */
  values: SharedArrayBuffer;
  /** The names of the loops, by number. */
  loops: string[];
  thread: number;
}

/** Words of the control block. */
export const WORDS = { job: 0, done: 1, loop: 2, count: 3 } as const;

const MAX_VALUES = 32;
/** How often the main thread looks for the others' end before it sleeps: they finish together. */
const SPINS = 2000;

/** Runs loops on all threads. */
export interface Threads {
  count: number;
  /** A loop that uses one thread. */
  call(loop: string, ...values: number[]): void;
  /**
   * A parallel loop: every thread calls it with its number, the address of the item counter and
   * `values`. Returns when all have ended.
   */
  run(loop: string, ...values: number[]): void;
}

/**
 * @param counter address of an int32 in the memory, for the threads to count items.
 * @param count threads in all, the calling one among them.
 */
export async function startThreads(
  memory: WebAssembly.Memory,
  counter: number,
  count: number,
): Promise<Threads> {
  const bytes = readFileSync(new URL('kernels.wasm', import.meta.url));
  const module = await WebAssembly.compile(bytes);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const loops = instance.exports as unknown as Loops;
  const names = Object.keys(loops);
  const buffers = {
    control: new SharedArrayBuffer(4 * Object.keys(WORDS).length),
    values: new SharedArrayBuffer(8 * MAX_VALUES),
  };
  const control = new Int32Array(buffers.control);
  const shared = new Float64Array(buffers.values);
  const others = count - 1;
  const ready = Array.from({ length: others }, async (_, i) => {
    const workerData: ThreadData = { module, memory, loops: names, thread: i + 1, ...buffers };
    const worker = new Worker(new URL('thread.ts', import.meta.url), { workerData });
    // Rejects when the thread cannot start.
    await once(worker, 'message');
    worker.unref();
  });
  await Promise.all(ready);

  function run(name: string, ...values: number[]): void {
    new Int32Array(memory.buffer, counter, 1)[0] = 0;
    if (others > 0) {
      shared.set([counter, ...values]);
      control[WORDS.loop] = names.indexOf(name);
      control[WORDS.count] = values.length + 1;
      Atomics.store(control, WORDS.done, 0);
      Atomics.add(control, WORDS.job, 1);
      Atomics.notify(control, WORDS.job);
    }
    loops[name]!(0, counter, ...values);
    waitForOthers();
  }

  function waitForOthers(): void {
    for (let spins = 0; ; spins++) {
      const done = Atomics.load(control, WORDS.done);
      if (done === others) return;
      if (spins > SPINS) Atomics.wait(control, WORDS.done, done);
    }
  }

  return { count, call: (name, ...values) => loops[name]!(...values), run };
}
