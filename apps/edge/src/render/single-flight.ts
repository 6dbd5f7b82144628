import { FORGOTTEN_AFTER_MS } from './scheduler.ts';

/** Whether somebody still waits for work, in the words of an AbortSignal. */
export type Wanted = Pick<AbortSignal, 'throwIfAborted'>;

/**
 * Does work once for all who ask for it while it is under way, and for as long as one of them waits.
 * @returns a function that takes what names the work, the signal of one who asks, and how it is begun.
 * It throws the signal's reason where that one has left already.
 */
export function shareWork<T>(): (
  key: string,
  signal: AbortSignal,
  begin: (wanted: Wanted) => Promise<T>,
) => Promise<T> {
  const underWay = new Map<string, { waiting: number; begunMs: number; outcome: Promise<T> }>();

  return (key, signal, begin) => {
    signal.throwIfAborted(); // its client has left before it came here: no event says so any more
    const found = underWay.get(key);
    const work = found && Date.now() < found.begunMs + FORGOTTEN_AFTER_MS ? found : start();
    work.waiting++;
    // Not the signal itself: in workerd it belongs to its own request, and the work to the first one.
    signal.addEventListener('abort', leave, { once: true });
    return work.outcome.finally(() => signal.removeEventListener('abort', leave));

    function start() {
      const started = {
        waiting: 0,
        begunMs: Date.now(),
        outcome: begin({
          throwIfAborted() {
            if (started.waiting > 0) return;
            throw new DOMException('nobody waits for it any more', 'AbortError');
          },
        }).finally(() => forget(started)),
      };
      underWay.set(key, started);
      return started;
    }

    function leave(): void {
      // Who asks from now on must not get what is about to be given up.
      if (--work.waiting === 0) forget(work);
    }

    function forget(done: unknown): void {
      if (underWay.get(key) === done) underWay.delete(key);
    }
  };
}
