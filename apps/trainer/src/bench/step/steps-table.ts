import { median } from 'simple-statistics';
import { numberTable } from '../../text/markdown.ts';
import type { IterationTimes, StepTimes } from './measure-steps.ts';

export interface StepRow {
  name: string;
  replay: boolean;
  batch: number;
  times: StepTimes;
}

/**
 * A Markdown table, a row for each step; times are medians in milliseconds. `host` is JavaScript and calls of
 * WebGPU without `submit`, in which a software adapter computes; its least is what it takes where nothing else
 * takes the core meanwhile.
 */
export function stepsTable(rows: readonly StepRow[]): string {
  const head = ['step', 'replayed', 'batch', 'dispatches', 'submissions', 'created'];
  const times = [
    'JavaScript',
    'calls',
    'host',
    'host, least',
    'submit',
    'waiting',
    'device',
    'total',
  ];
  return numberTable([
    [...head, ...times],
    ...rows.map(({ name, replay, batch, times: measured }) => {
      const of = (
        value: (one: IterationTimes) => number | undefined,
        summary: (values: number[]) => number = median,
      ) => {
        const values = measured.map(value);
        return values.includes(undefined) ? '–' : digits(summary(values as number[]));
      };
      const outside = ({ total, wait, gpu }: IterationTimes) =>
        total - wait - (gpu ? gpu.calls + gpu.submit : 0);
      const host = (one: IterationTimes) => outside(one) + (one.gpu?.calls ?? 0);
      return [
        name,
        replay ? 'yes' : 'no',
        String(batch),
        of(({ gpu }) => gpu?.dispatches),
        of(({ gpu }) => gpu?.submissions),
        of(({ gpu }) => gpu?.created),
        of(outside),
        of(({ gpu }) => gpu?.calls),
        of(host),
        of(host, (values) => Math.min(...values)),
        of(({ gpu }) => gpu?.submit),
        of(({ wait }) => wait),
        of(({ gpu }) => gpu?.device),
        of(({ total }) => total),
      ];
    }),
  ]);
}

const digits = (value: number) =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
