/**
 * The process of {@link decodeInProcess}: reads jobs from standard input, writes frames to standard
 * output, and ends itself when it has grown past its memory limit in MiB, the only argument.
 *
 * @module
 */
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { firstLine, ImageFault } from './image.ts';
import { renderFrames } from './render-frames.ts';

const WATCH_EVERY_MS = 10;

const decodeJob = z.object({
  bytes: z.base64(),
  header: z.object({
    format: z.string(),
    width: z.number(),
    height: z.number(),
    frames: z.number(),
    hasAlpha: z.boolean(),
    isPlainRaster: z.boolean(),
  }),
  options: z.object({
    size: z.number(),
    background: z.string().default('#ffffff'),
    frames: z.enum(['first', 'all']).default('first'),
  }),
});

const memoryLimit = z.coerce.number().positive().parse(process.argv[2]) * 2 ** 20;

// sharp decodes in threads, so this one is free to watch. Only SIGKILL ends them half-way.
setInterval(() => {
  if (process.memoryUsage.rss() > memoryLimit) process.kill(process.pid, 'SIGKILL');
}, WATCH_EVERY_MS).unref();
// Who asked is gone: nobody waits for what is being decoded.
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C reaches the whole group: the program that asked decides when this one ends.
process.on('SIGINT', () => {});

for await (const line of createInterface({ input: process.stdin })) {
  const { bytes, header, options } = decodeJob.parse(JSON.parse(line));
  const answer = await renderFrames(Buffer.from(bytes, 'base64'), header, options).then(
    (frames) => ({ frames: frames.map((frame) => Buffer.from(frame).toString('base64')) }),
    (error: unknown) => {
      if (error instanceof ImageFault) return { fault: error.message };
      return { fault: `damaged or cut short (${firstLine(error)})` };
    },
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
