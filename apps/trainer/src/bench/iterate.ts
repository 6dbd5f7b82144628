import { createRandom, type Random } from '@killme/model';

/** One iteration of training, until its numbers have been read. @returns losses and accuracies. */
export type Iterate = () => Promise<number[]>;

let calls = 0;

/** Other random numbers at each call. */
export function benchRandom(): Random {
  return createRandom(`bench/${calls++}`);
}
