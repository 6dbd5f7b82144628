import { median } from 'simple-statistics';
import { numberTable } from '../../text/markdown.ts';
import type { IterationTimes, StepTimes } from './measure-steps.ts';

export interface StepRow {
  name: string;
  replay: boolean;
  batch: number;
  times: StepTimes;
}

/** A Markdown table, a row for each step; times are medians in milliseconds. */
export function stepsTable(rows: readonly StepRow[]): string {
  const head = [
    'step',
    'replayed',
    'batch',
    'dispatches',
    'submissions',
    'created',
    'JavaScript',
    'WebGPU',
  ];
  return numberTable([
    [...head, 'host', 'waiting', 'device', 'total'],
    ...rows.map(({ name, replay, batch, times }) => {
      const of = (value: (one: IterationTimes) => number | undefined) => {
        const values = times.map(value);
        return values.includes(undefined) ? '–' : digits(median(values as number[]));
      };
      return [
        name,
        replay ? 'yes' : 'no',
        String(batch),
        of(({ gpu }) => gpu?.dispatches),
        of(({ gpu }) => gpu?.submissions),
        of(({ gpu }) => gpu?.created),
        of((one) => one.total - one.wait - (one.gpu?.host ?? 0)),
        of(({ gpu }) => gpu?.host),
        of((one) => one.total - one.wait),
        of(({ wait }) => wait),
        of(({ gpu }) => gpu?.device),
        of(({ total }) => total),
      ];
    }),
  ]);
}

const digits = (value: number) =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
