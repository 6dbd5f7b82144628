import process from 'node:process';
import morgan from 'morgan';
import type { Observe } from './observe.ts';

/** The format of Apache and nginx, and at the end what the server took. */
const FORMAT =
  ':remote-addr - :remote-user [:date[clf]] ":method :url HTTP/:http-version" :status ' +
  ':res[content-length] ":referrer" ":user-agent" :response-time ms :res[killme-source]';

/** Several processes write to one pipe: so many bytes are not torn apart (POSIX, PIPE_BUF). */
const MOST_BYTES = 4096;

/** The longest that a line waits for others. */
const FLUSH_MS = 200;

/** Logs one line for each request when it has been answered, to the standard output. */
export function accessLog(): Observe {
  const log = morgan(FORMAT, { stream: batchLines() });
  return (incoming, outgoing) => log(incoming, outgoing, () => undefined);
}

/** Writes lines together: one system call for each would cost more than many answers. */
function batchLines(): { write(line: string): void } {
  let lines = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== '') process.stdout.write(lines);
    lines = '';
  };
  process.on('exit', flush);
  // Who reads the log may have ended: that is no reason to end too.
  process.stdout.on('error', () => undefined);
  return {
    write(line) {
      if (Buffer.byteLength(lines) + Buffer.byteLength(line) > MOST_BYTES) flush();
      lines += line;
      timer ??= setTimeout(flush, FLUSH_MS);
    },
  };
}
