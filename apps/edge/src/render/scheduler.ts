import { ProblemError } from '../http/problem.ts';

/** Pictures under way in one isolate at most: 200 avatars of one page, or four of the longest walks. */
const PICTURES_UNDER_WAY = 256;

/** About what half of that takes the article's generator. */
const RETRY_AFTER_SECONDS = '5';

/** How often one that waits for its turn looks. */
const LOOK_AGAIN_MS = 10;

/**
 * A runtime that stops a request (for its CPU time) runs nothing of it any more, so it never says
 * that it is done: its place is free again after so long without a sign of it.
 */
export const FORGOTTEN_AFTER_MS = 60_000;

/** What one request does in its turn. */
export interface Turn {
  /**
   * To wait for before each picture: others get their turn, and it is seen whether the client is
   * still there.
   * @throws the signal's reason when it is not there any more.
   */
  next(): Promise<void>;
}

/**
 * The rendering that is under way in this isolate. Rendering keeps the one thread busy, so requests take
 * turns, picture by picture; beyond a bound they are refused at once. Of the requests for several
 * pictures only the oldest is rendered: its pictures lie in memory (9 MB for the longest walk) until the
 * last of them is rendered and all are encoded. Single pictures get their turn in between.
 */
export interface Workload {
  /**
   * @param options.pictures how many are to be rendered
   * @param options.signal says when nobody waits for them any more
   * @throws ProblemError 503 when too much is under way.
   */
  run<T>(
    options: { pictures: number; signal: Pick<AbortSignal, 'throwIfAborted'> },
    work: (turn: Turn) => Promise<T>,
  ): Promise<T>;
  /** Pictures that requests wait for now. */
  pending(): number;
}

export function createWorkload(): Workload {
  const running = new Map<symbol, { pictures: number; seenMs: number }>();

  function forget(): void {
    const oldest = Date.now() - FORGOTTEN_AFTER_MS;
    for (const [id, { seenMs }] of running) if (seenMs < oldest) running.delete(id);
  }

  function pending(): number {
    forget();
    return [...running.values()].reduce((sum, { pictures }) => sum + pictures, 0);
  }

  function isOldestOfSeveral(id: symbol): boolean {
    forget();
    return [...running].find(([, { pictures }]) => pictures > 1)?.[0] === id;
  }

  return {
    pending,
    async run({ pictures, signal }, work) {
      if (pending() + pictures > PICTURES_UNDER_WAY) {
        throw new ProblemError(
          503,
          'Too many pictures are being rendered. Try again in a moment.',
          {
            headers: { 'Retry-After': RETRY_AFTER_SECONDS },
          },
        );
      }
      const id = Symbol();
      const sign = () => running.set(id, { pictures, seenMs: Date.now() });
      // A timer: after a mere promise neither another request nor a closed connection is seen.
      const yieldTurn = async (ms = 0) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        sign();
        signal.throwIfAborted();
      };
      const next = async () => {
        if (pictures > 1 || running.size > 1) await yieldTurn();
        while (pictures > 1 && !isOldestOfSeveral(id)) await yieldTurn(LOOK_AGAIN_MS);
      };
      sign();
      try {
        return await work({ next });
      } finally {
        running.delete(id);
      }
    },
  };
}
