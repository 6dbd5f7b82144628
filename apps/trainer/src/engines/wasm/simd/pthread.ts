/**
 * Stands in for the eight pthreads that tfjs's threaded build prepares at its start and, with
 * XNNPACK on one thread, never uses: it says that it is ready, and is ended soon after.
 *
 * @module
 */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', ({ cmd }: { cmd?: string }) => {
  if (cmd === 'load') parentPort?.postMessage({ cmd: 'loaded' });
});
