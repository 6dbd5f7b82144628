import { FORGOTTEN_AFTER_MS } from './scheduler.ts';

/** Whether somebody still waits for work, in the words of an AbortSignal. */
export type Wanted = Pick<AbortSignal, 'throwIfAborted'>;

/**
 * Does work once for all who ask for it while it is under way, and for as long as one of them waits.
 * @returns a function that takes what names the work, the signal of one who asks, and how it is begun.
 * It throws the signal's reason where that client has disconnected already.
 */
export function singleFlight<T>(): (
  key: string,
  signal: AbortSignal,
  begin: (wanted: Wanted) => Promise<T>,
) => Promise<T> {
  const pending = new Map<string, { waiting: number; begunMs: number; outcome: Promise<T> }>();

  return (key, signal, begin) => {
    signal.throwIfAborted(); // its client disconnected before it came here: no event says so any more
    const found = pending.get(key);
    const work = found && Date.now() < found.begunMs + FORGOTTEN_AFTER_MS ? found : start();
    work.waiting++;
    // Not the signal itself: in workerd it belongs to its own request, and the work to the first one.
    signal.addEventListener('abort', disconnect, { once: true });
    return work.outcome.finally(() => signal.removeEventListener('abort', disconnect));

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
      pending.set(key, started);
      return started;
    }

    function disconnect(): void {
      // Who asks from now on must not get what is about to be given up.
      if (--work.waiting === 0) forget(work);
    }

    function forget(done: unknown): void {
      if (pending.get(key) === done) pending.delete(key);
    }
  };
}
