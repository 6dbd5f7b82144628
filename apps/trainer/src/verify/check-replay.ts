/**
 * `npm run check:replay`: do steps end with the same bits as they are, replayed, replayed again, and gone on with;
 * and does a replayed one create nothing on the device?
 *
 * @module
 */
import { type RepeatOptions, repeatSteps, type TrainedNumbers } from './repeat-steps.ts';

/** Counts the buffers and bind groups that WebGPU creates from now on. @returns how many there are so far. */
export type CountCreated = () => () => number;

/**
 * Iterations after the last new kind of step in which all is there that replays need: each kind is recorded and
 * compared twice, one in four is penalized, and losses wait in groups of up to 16.
 */
const SETTLES_IN = 48;

export interface CheckReplayOptions
  extends Pick<RepeatOptions, 'preset' | 'dataset' | 'batch' | 'iterations'> {
  /** Replays only, to count what many iterations create. */
  once: boolean;
  countCreated: CountCreated;
  log: (line: string) => void;
}

/** Prints a line for each run. @returns whether all are as they have to be. */
export async function checkReplay(options: CheckReplayOptions): Promise<boolean> {
  const { preset, dataset, batch, iterations, once, log } = options;
  const common = { preset, dataset, batch, iterations };
  let ok = true;
  const refused: string[] = [];
  const counter = createdByReplays(options.countCreated);
  const onLine = (line: string) => {
    log(line);
    counter.newKind();
    if (line.includes('cannot be replayed')) refused.push(line);
  };
  const replayed = await repeatSteps({
    ...common,
    replay: true,
    log: onLine,
    after: counter.after,
  });
  log(`replayed, ${iterations} iterations: ${describe(replayed)}`);
  const { replays, created } = counter.counted();
  if (replays > 0) {
    ok &&= created === 0;
    log(`buffers and bind groups created in the last ${replays} iterations: ${created}`);
  }
  ok &&= refused.length === 0;
  if (once) return ok;
  const others: [string, Partial<RepeatOptions>][] = [
    ['replayed again', { replay: true }],
    ['as it is', { replay: false }],
    ['as it is again', { replay: false }],
    ['resumed in the middle', { replay: true, resumeAt: Math.ceil(iterations / 2) }],
  ];
  for (const [name, change] of others) {
    const numbers = await repeatSteps({ ...common, replay: true, ...change });
    const same = numbers.state === replayed.state && equal(numbers.losses, replayed.losses);
    ok &&= same;
    log(`${name}: ${same ? 'the same bits' : `OTHER BITS: ${describe(numbers)}`}`);
  }
  return ok;
}

const equal = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

const describe = ({ losses, state }: TrainedNumbers) =>
  `state ${state.slice(0, 16)}, last loss ${losses.at(-1)}`;

/** Counts from {@link SETTLES_IN} iterations after the last new kind of step. */
function createdByReplays(countCreated: CountCreated) {
  const count = countCreated();
  let [waits, replays, before, created] = [SETTLES_IN, 0, 0, 0];
  return {
    newKind() {
      waits = SETTLES_IN;
      replays = 0;
    },
    async after() {
      if (waits-- > 0) before = count();
      else replays++;
      created = count() - before; // what is read of the state at the end takes buffers
    },
    counted: () => ({ replays, created }),
  };
}
