/**
 * A runtime that stops a request (for its CPU time) runs nothing of it any more, so it never says
 * that it is done: its turn ends after so long without a sign of it.
 */
export const FORGOTTEN_AFTER_MS = 60_000;

/**
 * Whether somebody still waits for work. Not an AbortSignal: in workerd a signal belongs to its own
 * request, and the work to the first of several.
 */
export interface Wanted {
  /** @throws DOMException AbortError when nobody does. */
  throwIfAborted(): void;
  /** Calls back once, when the last of them has disconnected. */
  onAbort(callback: () => void): void;
}

/** Does work once for all who ask for the same at the same time. */
export type SingleFlight<T> = (options: {
  /** Names the work. */
  key: string;
  /** Says when this client has disconnected. */
  signal: AbortSignal;
  begin: (wanted: Wanted) => Promise<T>;
}) => Promise<T>;

/** One piece of work, and those who wait for it. */
interface Flight<T> {
  waiting: number;
  begunMs: number;
  onAbort: (() => void)[];
  outcome: Promise<T>;
}

/**
 * @returns a function that does work once for all who ask for it while it is under way, and for as long
 * as one of them waits. It throws the signal's reason where that client has disconnected already.
 */
export function singleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  function start(key: string, begin: (wanted: Wanted) => Promise<T>): Flight<T> {
    const flight: Omit<Flight<T>, 'outcome'> = { waiting: 0, begunMs: Date.now(), onAbort: [] };
    const wanted: Wanted = {
      throwIfAborted() {
        if (flight.waiting === 0) throw abandoned();
      },
      onAbort: (callback) => flight.onAbort.push(callback),
    };
    // It begins after its first client is counted.
    const outcome = Promise.resolve()
      .then(() => begin(wanted))
      .finally(() => forget(key, flight));
    const started = Object.assign(flight, { outcome });
    flights.set(key, started);
    return started;
  }

  function forget(key: string, flight: unknown): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  return ({ key, signal, begin }) => {
    signal.throwIfAborted(); // its client disconnected before it came here: no event says so any more
    const found = flights.get(key);
    const fresh = found && Date.now() < found.begunMs + FORGOTTEN_AFTER_MS;
    const flight = fresh ? found : start(key, begin);
    flight.waiting++;
    function disconnect(): void {
      if (--flight.waiting > 0) return;
      forget(key, flight); // who asks from now on must not get what is about to be given up
      for (const callback of flight.onAbort) callback();
    }
    signal.addEventListener('abort', disconnect, { once: true });
    return flight.outcome.finally(() => signal.removeEventListener('abort', disconnect));
  };
}

/** The reason of work that is given up. */
export const abandoned = () =>
  new DOMException('every client that waited for it has disconnected', 'AbortError');
