import { ProblemError } from '../http/problem.ts';
import type { Pause } from '../images/pause.ts';
import { abandoned, FORGOTTEN_AFTER_MS, type Wanted } from './single-flight.ts';

/** Milliseconds of work that one isolate has accepted at most; see cost.ts. */
export const MOST_PENDING_MS = 8000;

/** About what half of that takes. */
const RETRY_AFTER_SECONDS = '5';

/** How often one that waits looks whether the one before it was stopped like that. */
const LOOK_AGAIN_MS = 1000;

/** Work to be done in turns. */
export interface Task {
  /** Pictures that it renders or encodes. */
  pictures: number;
  /** Estimated milliseconds; see cost.ts. */
  costMs: number;
  wanted: Wanted;
}

/**
 * The work of this isolate. Rendering and encoding keep its one thread busy, so tasks take turns, one
 * at a time, and between two turns the runtime sees what has come in: requests that need no turn,
 * and clients that have disconnected. Beyond a bound tasks are refused at once.
 *
 * A task of one picture and a task of several alternate. Otherwise they run in the order in which
 * they came, each to its end: what they have rendered lies in memory until it is encoded (9 MB for
 * the longest walk).
 */
export interface Scheduler {
  /**
   * Runs work when it is its turn; `pause` ends a turn and waits for the next one.
   * @throws ProblemError 503 when too much is pending; AbortError, without having begun or at a pause,
   * when nobody wants it any more.
   */
  run<T>(task: Task, work: (pause: Pause) => Promise<T>): Promise<T>;
  /**
   * Counts work that another thread does in its own turns, until that thread says that it is done or
   * given up, and bounds it likewise.
   * @throws ProblemError 503 when too much is pending.
   */
  accept<T>(task: Task, work: () => Promise<T>): Promise<T>;
  /** Pictures of the tasks that were accepted and are not done. */
  pending(): number;
}

/** A task that was accepted. */
interface Job extends Task {
  /** Its last sign of life. */
  seenMs: number;
  /** While it waits: gives it its turn, or ends it. */
  waiting?: { resolve: () => void; reject: (reason: unknown) => void };
}

/**
 * A timer of the request's own: after a mere promise neither another request nor a closed connection
 * is seen.
 */
const waitForTimer = () => new Promise<void>((resolve) => setTimeout(resolve));

/** @param seeInput lets the runtime see what has come in; a runtime may have a faster way than a timer. */
export function createScheduler(seeInput: () => Promise<void> = waitForTimer): Scheduler {
  const accepted = new AcceptedJobs();
  const turns = new Turns();

  function dismiss(job: Job): void {
    accepted.delete(job);
    turns.delete(job);
  }

  function forgetStopped(): void {
    for (const job of accepted.stopped()) dismiss(job);
  }

  function dispatch(): void {
    forgetStopped();
    turns.dispatch();
  }

  function admit(task: Task): Job {
    task.wanted.throwIfAborted();
    forgetStopped();
    return accepted.add(task);
  }

  async function takeTurn(job: Job, isFirst: boolean): Promise<void> {
    const turn = Promise.withResolvers<void>();
    job.waiting = turn;
    turns.queue(job, isFirst);
    dispatch();
    while (turns.running !== job) {
      await atMost(LOOK_AGAIN_MS, turn.promise);
      job.seenMs = Date.now();
      dispatch();
    }
    // Also where nothing else waits yet: of requests that come at once workerd runs each until it waits
    // for something, so none would know of the next, and none would be refused.
    await seeInput();
    job.seenMs = Date.now();
    job.wanted.throwIfAborted();
  }

  return {
    pending: () => accepted.pictures,
    async run(task, work) {
      const job = admit(task);
      job.wanted.onAbort(() => {
        if (turns.running === job) return; // it sees for itself, at its next pause
        dismiss(job);
        job.waiting?.reject(abandoned());
      });
      try {
        await takeTurn(job, true);
        return await work(() => takeTurn(job, false));
      } finally {
        dismiss(job);
        dispatch();
      }
    },
    async accept(task, work) {
      const job = admit(task);
      try {
        return await work();
      } finally {
        dismiss(job);
      }
    },
  };
}

/** What is accepted and not done, within the bound. */
class AcceptedJobs {
  readonly #jobs = new Set<Job>();
  /** What they cost together. */
  #pendingMs = 0;

  get count(): number {
    return this.#jobs.size;
  }

  get pictures(): number {
    return [...this.#jobs].reduce((sum, { pictures }) => sum + pictures, 0);
  }

  /** @throws ProblemError 503 when too much is pending. */
  add(task: Task): Job {
    // One that is beyond the bound by itself is done when nothing else is pending.
    if (this.#jobs.size > 0 && this.#pendingMs + task.costMs > MOST_PENDING_MS) {
      throw new ProblemError(503, 'Too many pictures are being rendered. Try again in a moment.', {
        headers: { 'Retry-After': RETRY_AFTER_SECONDS },
      });
    }
    const job: Job = { ...task, seenMs: Date.now() };
    this.#jobs.add(job);
    this.#pendingMs += job.costMs;
    return job;
  }

  delete(job: Job): void {
    if (this.#jobs.delete(job)) this.#pendingMs -= job.costMs;
  }

  /** Those that the runtime seems to have stopped. */
  stopped(): Job[] {
    const oldest = Date.now() - FORGOTTEN_AFTER_MS;
    return [...this.#jobs].filter(({ seenMs }) => seenMs < oldest);
  }
}

/** Jobs that wait for a turn, and the one that has it. */
class Turns {
  /** Begun ones first. */
  readonly #queues: Record<Lane, Job[]> = { single: [], several: [] };
  #running: Job | undefined;
  #lastLane: Lane = 'several';

  get running(): Job | undefined {
    return this.#running;
  }

  /** Ends the turn of a job that has one, and lets it wait for the next. */
  queue(job: Job, isFirst: boolean): void {
    this.#end(job);
    const queue = this.#queues[laneOf(job)];
    if (isFirst) queue.push(job);
    else queue.unshift(job);
  }

  /** Gives a turn to the next job, when nobody has one. */
  dispatch(): void {
    if (this.#running) return;
    const lanes = this.#lastLane === 'single' ? REVERSED : LANES;
    const lane = lanes.find((name) => this.#queues[name].length > 0);
    if (lane === undefined) return;
    this.#lastLane = lane;
    this.#running = this.#queues[lane].shift()!;
    this.#running.waiting?.resolve();
  }

  delete(job: Job): void {
    const queue = this.#queues[laneOf(job)];
    const at = queue.indexOf(job);
    if (at >= 0) queue.splice(at, 1);
    this.#end(job);
  }

  #end(job: Job): void {
    if (this.#running === job) this.#running = undefined;
  }
}

type Lane = 'single' | 'several';
const LANES: readonly Lane[] = ['single', 'several'];
const REVERSED = LANES.toReversed();

const laneOf = ({ pictures }: Task): Lane => (pictures > 1 ? 'several' : 'single');

/** Waits for a promise, but not longer than so many milliseconds. */
async function atMost(ms: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
