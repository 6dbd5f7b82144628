/** CPU seconds that a run may use: user and system time of all threads of this process. */
export interface CpuBudget {
  total: number;
  /** Those used by now. */
  spent(): number;
}

/** @param before what the run had used when its last process ended */
export function startCpuBudget(total: number, before = 0): CpuBudget {
  const began = process.cpuUsage();
  return {
    total,
    spent() {
      const { user, system } = process.cpuUsage(began);
      return before + (user + system) / 1e6;
    },
  };
}
