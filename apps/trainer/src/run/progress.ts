import { MultiBar, Presets } from 'cli-progress';
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
  let lastSaid = began;
  const bars = process.stderr.isTTY ? createBars() : undefined;
  const bar = bars?.create(budget?.total ?? work(total), budget ? spentBefore : work(start), {
    done: '–',
    pace: '–',
    left: '–',
  });

  return {
    async log(line) {
      if (bars) bars.log(`${line}\n`);
      else console.log(line);
      await appendToFile(logFile, `${line}\n`);
    },
    update(iteration) {
      const now = performance.now();
      const seconds = (now - began) / 1000;
      const spent = budget?.spent() ?? 0;
      const [from, at, to] = budget
        ? [spentBefore, spent, budget.total]
        : [work(start), work(iteration), work(total)];
      const words = {
        done: budget
          ? `iteration ${iteration} · ${spent.toFixed(0)} of ${budget.total} CPU s`
          : `${iteration}/${total}`,
        pace: (seconds / Math.max(1, iteration - start)).toPrecision(3),
        left: formatDuration(timeLeft({ seconds, from, at, to })),
      };
      bar?.update(at, words);
      // Where there is no terminal to draw a bar on (turbo, a log file), it is said now and then.
      if (!bar && now - lastSaid > SAY_EVERY_MS) {
        lastSaid = now;
        console.log(`${words.done} · ${words.pace} s an iteration · ${words.left} left`);
      }
    },
    stop() {
      bars?.stop();
    },
  };
}

const SAY_EVERY_MS = 60_000;

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

function createBars(): MultiBar {
  return new MultiBar(
    {
      format: '{bar} {percentage} % · {done} · {pace} s an iteration · {left} left',
      hideCursor: true,
      clearOnComplete: false,
      forceRedraw: true,
    },
    Presets.shades_classic,
  );
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
