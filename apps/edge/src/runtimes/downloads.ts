import { ProblemError } from '../http/problem.ts';

/** Files of generators that are sent at a time: each takes a file of the system's, or a stream of workerd's. */
export const MOST_DOWNLOADS = 64;

/** Counts the files that are being sent. */
export interface Downloads {
  /**
   * @returns says that this one has ended; further calls do nothing.
   * @throws ProblemError 503 when it is one too many.
   */
  begin(): () => void;
}

/** @param options.forgetMs after which one that has not ended is counted no more */
export function limitDownloads({ forgetMs = Number.POSITIVE_INFINITY } = {}): Downloads {
  const open = new Set<{ since: number }>();
  return {
    begin() {
      const now = Date.now();
      for (const each of open) if (now - each.since > forgetMs) open.delete(each);
      if (open.size >= MOST_DOWNLOADS) {
        throw new ProblemError(
          503,
          'Too many files of generators are being sent. Try again in a moment.',
          { headers: { 'Retry-After': '5' } },
        );
      }
      const mine = { since: now };
      open.add(mine);
      return () => void open.delete(mine);
    },
  };
}
