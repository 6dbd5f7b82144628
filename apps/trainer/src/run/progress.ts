import { clearLine, cursorTo } from 'node:readline';
import type { CpuBudget } from './cpu-budget.ts';
import { appendToFile } from './folder.ts';

/** Where a run's lines go: the terminal, under it a progress bar, and the run's log file. */
export interface Progress {
  /** A line of the run, kept in its log. */
  log(line: string): Promise<void>;
  /** Iterations done; moves the bar. */
  update(iteration: number): void;
  stop(): void;
}

/**
 * @param options.start the iteration at which this process begins, for the time left.
 * @param options.total the iteration at which the run ends.
 * @param options.work that has been done by an iteration, in any unit: iterations need not take equally long.
 * @param options.budget ends the run instead, where there is one.
 */
export function startProgress({
  logFile,
  start,
  total,
  work,
  budget,
}: {
  logFile: string;
  start: number;
  total: number;
  work: (iteration: number) => number;
  budget?: CpuBudget | undefined;
}): Progress {
  const began = performance.now();
  const spentBefore = budget?.spent() ?? 0;
  let lastPrinted = began;
  const status = process.stderr.isTTY ? startStatusLine(process.stderr) : undefined;

  return {
    async log(line) {
      status?.clear();
      console.log(line);
      status?.show();
      await appendToFile(logFile, `${line}\n`);
    },
    update(iteration) {
      const now = performance.now();
      const seconds = (now - began) / 1000;
      const spent = budget?.spent() ?? 0;
      const [from, at, to] = budget
        ? [spentBefore, spent, budget.total]
        : [work(start), work(iteration), work(total)];
      const finished = budget
        ? `iteration ${iteration} · ${spent.toFixed(0)} of ${budget.total} CPU s`
        : `${iteration}/${total}`;
      const pace = (seconds / Math.max(1, iteration - start)).toPrecision(3);
      const left = formatDuration(timeLeft({ seconds, from, at, to }));
      const text = `${finished} · ${pace} s an iteration · ${left} left`;
      status?.show(`${progressBar(at / to)} ${text}`);
      // A log file, or the output of turbo, has no line that could be replaced.
      if (!status && now - lastPrinted > PRINT_EVERY_MS) {
        lastPrinted = now;
        console.log(text);
      }
    },
    stop() {
      status?.stop();
    },
  };
}

const PRINT_EVERY_MS = 60_000;

const BAR_WIDTH = 40;

/** @param fraction of the work, from 0 to 1; more counts as 1. */
export function progressBar(fraction: number): string {
  const filled = Math.round(BAR_WIDTH * Math.min(1, Math.max(0, fraction)));
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

/** One line at the bottom of a terminal whose text is replaced; it is cut at the terminal's width. */
function startStatusLine(terminal: NodeJS.WriteStream) {
  let text = '';
  const clear = () => {
    cursorTo(terminal, 0);
    clearLine(terminal, 0);
  };
  return {
    clear,
    /** @param next without it, the same text again. */
    show(next = text) {
      text = next;
      clear();
      terminal.write(text.slice(0, terminal.columns - 1));
    },
    stop() {
      if (text) terminal.write('\n');
    },
  };
}

/** Seconds from `at` to `to`, if it goes on as it went in the `seconds` from `from` to `at`. */
export function timeLeft({
  seconds,
  from,
  at,
  to,
}: {
  seconds: number;
  from: number;
  at: number;
  to: number;
}): number {
  return (seconds / Math.max(1, at - from)) * Math.max(0, to - at);
}

/** `75` → `1 min 15 s`; two units at most. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const units = [
    [Math.floor(whole / 86400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = units.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}
