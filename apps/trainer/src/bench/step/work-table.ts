import { number, numberTable } from '../../text/markdown.ts';

/** What a device can do at most. */
export interface Rates {
  /** 10¹² floating-point operations a second. */
  teraflops: number;
  /** 10¹² bytes a second to and from memory. */
  terabytes: number;
}

interface Call {
  /** Of the tfjs kernel. */
  name: string;
  dispatches: number;
  flops: number;
  bytes: number;
}

export interface WorkRow {
  name: string;
  batch: number;
  work: readonly Call[];
}

/**
 * A Markdown table, a row for each step. `at least` is the sum over the calls of kernels of what takes longer, the
 * arithmetic or the memory; what lies between dispatches is not in it.
 */
export function workTable(rows: readonly WorkRow[], rates: Rates): string {
  const head = ['step', 'batch', 'dispatches', 'GFLOP', 'MB moved'];
  const bounds = ['arithmetic ms', 'memory ms', 'at least ms', 'iterations/s at most'];
  return numberTable([
    [...head, ...bounds],
    ...rows.map(({ name, batch, work }) => {
      const { dispatches, flops, bytes, arithmetic, memory, least } = totalOf(work, rates);
      return [
        ...[name, String(batch), String(dispatches), number(flops / 1e9), number(bytes / 1e6)],
        ...[arithmetic, memory, least, 1000 / least].map(number),
      ];
    }),
  ]);
}

/** Kernels of less than these shares of a step's dispatches and its time are put together. */
const FEW = { dispatches: 0.02, least: 0.01 };

/** The same of one step by kernel, those first that take longest at least. */
export function kernelTable({ work }: WorkRow, rates: Rates): string {
  const total = totalOf(work, rates);
  const names = Map.groupBy(work, ({ name }) => name);
  const shown = [
    ...Map.groupBy(work, ({ name }) => {
      const { dispatches, least } = totalOf(names.get(name)!, rates);
      const few = dispatches < FEW.dispatches * total.dispatches && least < FEW.least * total.least;
      return few ? 'others' : name;
    }),
  ];
  const rows = shown
    .map(([name, calls]) => ({ name, calls: calls.length, ...totalOf(calls, rates) }))
    .sort((a, b) => b.least - a.least);
  return numberTable([
    ['kernel', 'calls', 'dispatches', 'GFLOP', 'MB moved', 'at least ms'],
    ...rows.map(({ name, calls, dispatches, flops, bytes, least }) => [
      ...[name, String(calls), String(dispatches)],
      ...[flops / 1e9, bytes / 1e6, least].map(number),
    ]),
  ]);
}

/** Times in milliseconds. */
function totalOf(work: readonly Call[], { teraflops, terabytes }: Rates) {
  const total = { dispatches: 0, flops: 0, bytes: 0, arithmetic: 0, memory: 0, least: 0 };
  for (const { dispatches, flops, bytes } of work) {
    const arithmetic = flops / (teraflops * 1e9);
    const memory = bytes / (terabytes * 1e9);
    total.dispatches += dispatches;
    total.flops += flops;
    total.bytes += bytes;
    total.arithmetic += arithmetic;
    total.memory += memory;
    total.least += Math.max(arithmetic, memory);
  }
  return total;
}
