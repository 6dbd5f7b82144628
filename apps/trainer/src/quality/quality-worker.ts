/**
 * The thread that measures quality beside training: see watch-quality.ts. It computes on the CPU by the wasm engine.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Dataset } from '@killme/data';
import { startWasm } from '../engines/wasm/wasm.ts';
import type { TrainedGenerator } from './made-images.ts';
import { type MeasuredMessage, watchQuality } from './watch-quality.ts';

// One core is left to the thread that drives the GPU.
const threads = Number(process.env.KILLME_THREADS) || Math.max(1, availableParallelism() - 1);
const starting = startWasm({ threads });
const watch = watchQuality(workerData as Dataset);

// Before anything is awaited: in Deno a message that comes before its listener is lost.
parentPort!.on('message', async (generator: Omit<TrainedGenerator, 'description'>) => {
  let answer: MeasuredMessage;
  try {
    await starting;
    answer = { scores: await watch.measure(generator) };
  } catch (error) {
    answer = { error: (error as Error).message };
  }
  parentPort!.postMessage(answer);
});
