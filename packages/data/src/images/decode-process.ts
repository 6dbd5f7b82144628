/**
 * Decoding in processes of their own, for images whose cost their headers do not tell: a dash
 * array in an SVG of 464 bytes can take gigabytes, and no library stops half-way.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type DecodeOptions, ImageFault, type ImageHeader } from './image.ts';

/** Limits of one image. A photo of 100 million pixels takes 3 s and 500 MB on a slow core. */
export const DECODE_LIMITS = { seconds: 30, memoryMib: 768 };

/** Each may take the whole memory limit. */
const MAX_PROCESSES = Math.min(4, availableParallelism());

export interface DecodeJob {
  bytes: Uint8Array;
  header: ImageHeader;
  options: DecodeOptions;
}

/** What the process answers, one line of JSON for each job. */
const decodeAnswer = z.union([
  z.object({ frames: z.array(z.base64()) }),
  z.object({ fault: z.string() }),
]);

interface Decoder {
  isAlive: boolean;
  end(): void;
  /** Jobs are one at a time: a process that dies has one culprit. */
  ask(line: string): Promise<z.infer<typeof decodeAnswer>>;
}

const idle: Decoder[] = [];
const waiting: ((decoder: Decoder) => void)[] = [];
let running = 0;

/**
 * @returns the frames; see {@link DecodedImage}.
 * @throws ImageFault of the decoder, or naming the limit that was hit.
 */
export async function decodeInProcess({
  bytes,
  header,
  options,
}: DecodeJob): Promise<Uint8Array[]> {
  const decoder = await takeDecoder();
  const job = { bytes: Buffer.from(bytes).toString('base64'), header, options };
  try {
    const answer = await decoder.ask(`${JSON.stringify(job)}\n`);
    if ('fault' in answer) throw new ImageFault(answer.fault);
    return answer.frames.map((frame) => Buffer.from(frame, 'base64'));
  } finally {
    giveBack(decoder);
  }
}

/** Ends the processes that have nothing to do; they are started again when they are needed. */
export function endIdleDecoders(): void {
  for (const decoder of idle.splice(0)) {
    decoder.end();
    running--;
  }
}

async function takeDecoder(): Promise<Decoder> {
  const free = idle.pop();
  if (free) return free;
  if (running < MAX_PROCESSES) {
    running++;
    return startDecoder();
  }
  return new Promise((resolve) => waiting.push(resolve));
}

function giveBack(decoder: Decoder): void {
  const next = waiting.shift();
  if (next) next(decoder.isAlive ? decoder : startDecoder());
  else if (decoder.isAlive) idle.push(decoder);
  else running--;
}

function startDecoder(): Decoder {
  const program = fileURLToPath(new URL('./decode-worker.ts', import.meta.url));
  const child = spawn(process.execPath, [program, String(DECODE_LIMITS.memoryMib)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.on('error', () => {}); // The process ended: its answer tells why.
  unref(child);
  const decoder: Decoder = { isAlive: true, ask, end: () => child.stdin.end() };
  return decoder;

  async function ask(line: string): Promise<z.infer<typeof decodeAnswer>> {
    const { seconds, memoryMib } = DECODE_LIMITS;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    child.ref();
    try {
      child.stdin.write(line);
      const answer = await lines.next();
      if (!answer.done) return decodeAnswer.parse(JSON.parse(answer.value));
      decoder.isAlive = false;
      return {
        fault: isLate
          ? `decoding it takes more than ${seconds} s: it is no honest picture, or save it smaller`
          : `decoding it takes more than ${memoryMib} MiB: it is no honest picture, or save it smaller`,
      };
    } finally {
      clearTimeout(timer);
      unref(child);
    }
  }
}

/** An idle decoder does not keep the program running; it ends when its standard input does. */
function unref(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout]) {
    if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
}
