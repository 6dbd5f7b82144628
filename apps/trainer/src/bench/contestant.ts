import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { PresetName } from '@killme/model/training';
import type { EngineName } from '../engines/engine.ts';

/** A way to train with tfjs: its own layers and `trainOnBatch`, or the trainer's step. */
export interface TfjsContestant {
  engine: EngineName;
  implementation: 'plain' | 'ours';
  preset: PresetName;
  batch: number;
}

/** Keras in the Python of that path. */
export interface KerasContestant {
  engine: 'python';
  implementation: 'Keras';
  preset: 'article';
  batch: number;
  python: string;
}

export type Contestant = TfjsContestant | KerasContestant;

/** What a process says once it is ready. */
export interface Greeting {
  device: string;
}

/** What a process says after an iteration. */
export interface Answer {
  seconds: number;
  /** Of all its threads together. */
  cpuSeconds: number;
  /** The most memory that the process has held so far. */
  peakBytes: number;
}

/** A contestant with what it has shown. */
export interface Entry {
  contestant: Contestant;
  device: string;
  /** Of each measured iteration. */
  seconds: number[];
  /** Of all threads in each of them: other work on the machine changes these least. */
  cpuSeconds: number[];
  peakBytes: number;
  /** Why it does not run, or not any more. */
  failure?: string;
}

/** A process that trains, one iteration each time it is asked. */
export interface Running {
  entry: Entry;
  /** Does nothing after a failure. */
  iterate(options: { measured: boolean }): Promise<void>;
  stop(): void;
}

const WORKER = resolve(import.meta.dirname, 'worker.ts');
const KERAS_SCRIPT = resolve(import.meta.dirname, '../../../../test/reference/bench_keras.py');

/** Starts a contestant's process and waits until it is ready, or has failed. */
export async function startContestant(contestant: Contestant): Promise<Running> {
  const entry: Entry = { contestant, device: '', seconds: [], cpuSeconds: [], peakBytes: 0 };
  const child = spawnContestant(contestant);
  const ask = answersOf(child);

  async function attempt<T>(line: string, use: (answer: T) => void): Promise<void> {
    if (entry.failure !== undefined) return;
    const answer = await ask(line);
    if ('failure' in answer) entry.failure = answer.failure;
    else use(JSON.parse(answer.line) as T);
  }

  await attempt<Greeting>('', ({ device }) => {
    entry.device = device;
  });
  return {
    entry,
    iterate: ({ measured }) =>
      attempt<Answer>('iterate\n', ({ seconds, cpuSeconds, peakBytes }) => {
        if (measured) {
          entry.seconds.push(seconds);
          entry.cpuSeconds.push(cpuSeconds);
        }
        entry.peakBytes = peakBytes;
      }),
    stop: () => child.stdin.end(),
  };
}

function spawnContestant(contestant: Contestant): ChildProcessWithoutNullStreams {
  if (contestant.engine === 'python') {
    return spawn(contestant.python, [KERAS_SCRIPT, '--batch', String(contestant.batch)]);
  }
  return spawn(process.execPath, [WORKER, JSON.stringify(contestant)]);
}

/** Sends text to a process and gives the next line of JSON that it prints, or how it ended. */
function answersOf(child: ChildProcessWithoutNullStreams) {
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-10_000);
  });
  child.stdin.on('error', () => {}); // It has ended; its exit says more.
  const ended = new Promise<string>((settle) => {
    child.on('error', ({ message }) => settle(message));
    child.on('close', (code, signal) => {
      const end = signal ? `ended by ${signal}` : `ended with ${code}`;
      settle([end, reasonIn(complaints) ?? []].flat().join(': '));
    });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  return async (text: string): Promise<{ line: string } | { failure: string }> => {
    child.stdin.write(text);
    while (true) {
      const { value, done } = await lines.next();
      if (done) return { failure: await ended };
      // Libraries greet on stdout too.
      if (value.startsWith('{')) return { line: value };
    }
  };
}

function reasonIn(complaints: string): string | undefined {
  const lines = complaints.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => /^\S*(Error|Aborted)\b/.test(line)) ?? lines.at(-1))?.trim();
}
