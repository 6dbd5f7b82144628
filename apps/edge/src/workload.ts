import { ProblemError } from './problem.ts';

/**
 * Pictures under way in one isolate at most: 200 avatars of one page, or four of the longest walks,
 * whose pictures (9 MB each walk) wait in memory until all of it is drawn.
 */
const PICTURES_UNDER_WAY = 256;

/** About what half of that takes the article's generator. */
const RETRY_AFTER_SECONDS = '5';

/**
 * A runtime that stops a request (for its CPU time) runs nothing of it any more, so it never says
 * that it is done: its place is free again after this.
 */
const FORGOTTEN_AFTER_MS = 60_000;

/** What one request does in its turn. */
export interface Turn {
  /**
   * To wait for before each picture: others get their turn, and it is seen whether the client is
   * still there.
   * @throws the signal's reason when it is not.
   */
  next(): Promise<void>;
}

/**
 * The drawing that is under way in this isolate. Drawing keeps the one thread busy, so requests
 * take turns, picture by picture; beyond a bound they are refused at once.
 */
export interface Workload {
  /**
   * @param options.pictures how many are to be drawn
   * @param options.signal aborted when the client goes away
   * @throws ProblemError 503 when too much is under way.
   */
  run<T>(
    options: { pictures: number; signal: AbortSignal },
    work: (turn: Turn) => Promise<T>,
  ): Promise<T>;
  /** Pictures that requests wait for now. */
  underWay(): number;
}

export function createWorkload(): Workload {
  const running = new Map<symbol, { pictures: number; startMs: number }>();

  function underWay(): number {
    const oldest = Date.now() - FORGOTTEN_AFTER_MS;
    for (const [id, { startMs }] of running) if (startMs < oldest) running.delete(id);
    return [...running.values()].reduce((sum, { pictures }) => sum + pictures, 0);
  }

  return {
    underWay,
    async run({ pictures, signal }, work) {
      if (underWay() + pictures > PICTURES_UNDER_WAY) {
        throw new ProblemError(503, 'Too many pictures are being drawn; try again in a moment.', {
          headers: { 'Retry-After': RETRY_AFTER_SECONDS },
        });
      }
      const id = Symbol();
      running.set(id, { pictures, startMs: Date.now() });
      const next = async () => {
        // A timer: after a mere promise neither another request nor a closed connection is seen.
        if (pictures > 1 || running.size > 1) await new Promise((resolve) => setTimeout(resolve));
        signal.throwIfAborted();
      };
      try {
        return await work({ next });
      } finally {
        running.delete(id);
      }
    },
  };
}
