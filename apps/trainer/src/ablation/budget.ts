import { UserError } from '@killme/model';

/** For how long each variant trains: CPU seconds of all threads, or iterations. */
export type Budget = { cpuSeconds: number } | { iterations: number };

/** As it stands in a CSV: `300 CPU seconds`. */
export function formatBudget(budget: Budget): string {
  return 'cpuSeconds' in budget
    ? `${budget.cpuSeconds} CPU seconds`
    : `${budget.iterations} iterations`;
}

/** Whether CPUs that are not alike give it different worth. */
export const isCpuTime = (formatted: string) => formatted.endsWith(' CPU seconds');

/** As it stands in the name of a run: `300s`, `40i`. */
export const shortBudget = (formatted: string) =>
  formatted.replace(/ CPU seconds$/, 's').replace(/ iterations$/, 'i');

/** @throws UserError unless exactly one was given; without any an hour of CPU time. */
export function chooseBudget(given: { cpuSeconds?: number; iterations?: number }): Budget {
  const { cpuSeconds, iterations } = given;
  if (cpuSeconds !== undefined && iterations !== undefined) {
    throw new UserError('--cpu-seconds and --iterations are two kinds of budget: give one');
  }
  return iterations === undefined ? { cpuSeconds: cpuSeconds ?? 3600 } : { iterations };
}
