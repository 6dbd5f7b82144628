import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import { formatBytes } from '../text/format-bytes.ts';
import type { Entry } from './contestant.ts';

/** How many times as fast ours is as another in the same rounds. */
export interface Ratio {
  ours: Entry;
  other: Entry;
  /** The median of the rounds' ratios; above 1 ours is the faster. */
  median: number;
  lowest: number;
  highest: number;
  /** The median of the ratios of CPU seconds. */
  cpuMedian: number;
}

/**
 * Ours against plain tfjs on the same engine and against Keras, where both ran at one batch size.
 * Divided round by round, so that a machine that grows slower meanwhile slows both sides.
 */
export function ratiosOf(entries: readonly Entry[]): Ratio[] {
  const ran = entries.filter(({ failure }) => failure === undefined);
  const of = (implementation: string) =>
    ran.filter(({ contestant }) => contestant.implementation === implementation);
  return of('ours').flatMap((ours) => {
    const { engine, batch } = ours.contestant;
    return [...of('plain').filter((plain) => plain.contestant.engine === engine), ...of('Keras')]
      .filter((other) => other.contestant.batch === batch)
      .map((other) => {
        const rounds = ours.seconds.map((seconds, i) => other.seconds[i]! / seconds);
        const ofCpu = ours.cpuSeconds.map((seconds, i) => other.cpuSeconds[i]! / seconds);
        const range = { lowest: Math.min(...rounds), highest: Math.max(...rounds) };
        return { ours, other, median: median(rounds), ...range, cpuMedian: median(ofCpu) };
      });
  });
}

/** A Markdown table, a row for each contestant. */
export function timesTable(entries: readonly Entry[]): string {
  const rows = entries.map(({ contestant, device, seconds, cpuSeconds, peakBytes, failure }) => {
    const { engine, implementation, preset, batch } = contestant;
    const described = [engine, implementation, preset, String(batch)];
    if (failure !== undefined) return [...described, '', '', '', '', '', `failed: ${failure}`];
    const middle = median(seconds);
    const spread = `${digits(Math.min(...seconds))} to ${digits(Math.max(...seconds))}`;
    const rate = digits(1 / middle);
    const times = [digits(middle), spread, rate, digits(median(cpuSeconds))];
    return [...described, ...times, formatBytes(peakBytes), device];
  });
  const times = ['s/iteration', 'lowest to highest', 'iterations/s', 'CPU s/iteration'];
  const head = ['engine', 'implementation', 'networks', 'batch', ...times, 'peak RSS', 'device'];
  return markdownTable([head, ...rows]);
}

/** A Markdown table, a row for each ratio. */
export function ratiosTable(ratios: readonly Ratio[]): string {
  const rows = ratios.map(({ ours, other, median: middle, lowest, highest, cpuMedian }) => {
    const { engine, batch } = ours.contestant;
    const name = other.contestant.implementation === 'Keras' ? 'Keras in Python' : 'plain tfjs';
    const range = `${lowest.toFixed(2)} to ${highest.toFixed(2)}`;
    return [
      `ours on ${engine}`,
      name,
      String(batch),
      `${middle.toFixed(2)}×`,
      range,
      `${cpuMedian.toFixed(2)}×`,
    ];
  });
  const head = ['faster', 'than', 'batch', 'ratio', 'lowest to highest', 'by CPU seconds'];
  return markdownTable([head, ...rows]);
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
