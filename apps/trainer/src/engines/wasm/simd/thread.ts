/**
 * One thread of threads.ts.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Loops, ThreadData } from './threads.ts';

const { module, memory, loops: names, thread, ...shared } = workerData as ThreadData;
const loops = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Loops;
const control = new Int32Array(shared.control);
const values = new Float64Array(shared.values);
// Not imported from threads.ts: a thread starts in a third of the time with nothing to load.
const [JOB, DONE, LOOP, COUNT] = [0, 1, 2, 3] as const;

parentPort?.postMessage('ready');
// Jobs are numbered from 1, and none may be missed while this thread starts, so it begins at 0.
for (let seen = 0; ; ) {
  Atomics.wait(control, JOB, seen);
  const job = Atomics.load(control, JOB);
  // Where a job was done before its notification came, that wakes the thread with no new job.
  if (job === seen) continue;
  seen = job;
  const count = control[COUNT]!;
  loops[names[control[LOOP]!]!]!(thread, ...values.subarray(0, count));
  Atomics.add(control, DONE, 1);
  Atomics.notify(control, DONE);
}
