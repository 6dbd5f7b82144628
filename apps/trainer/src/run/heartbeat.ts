/**
 * The thread that shows that the holder of a lock lives: see lock.ts. It ends with its process.
 *
 * @module
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

const { file, next, holder, heartbeatMs } = workerData as {
  file: string;
  next: string;
  holder: { id: string; heartbeat: number };
  heartbeatMs: number;
};

const beat = () => {
  if (existsSync(next) || !existsSync(file)) {
    parentPort!.postMessage('lost');
    clearInterval(timer);
    return;
  }
  holder.heartbeat++;
  try {
    writeFileSync(`${file}.tmp`, JSON.stringify(holder));
    renameSync(`${file}.tmp`, file);
  } catch {
    // A full disk, or one that is away for a while: the next beat tries again.
  }
};

const timer = setInterval(beat, heartbeatMs);
