import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';

/** The machine and the runtimes, in one line. */
export function describeMachine(): string {
  const [cpu] = cpus();
  return `${cpu?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.versions.node}`;
}

/** Bytes as megabytes of 10⁶ bytes, to a tenth. */
export const megabytes = (bytes: number) => Number((bytes / 1e6).toFixed(1));
