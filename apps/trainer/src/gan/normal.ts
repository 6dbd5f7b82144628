import type { Random } from '@killme/model';

/** Numbers of the standard normal distribution, by the transform of Box and Muller (1958). */
export function normal(random: Random, count: number): Float32Array {
  const pairs = Math.ceil(count / 2);
  const words = random.uint32s(2 * pairs);
  const values = new Float32Array(2 * pairs);
  for (let i = 0; i < 2 * pairs; i += 2) {
    // Half a step away from 0, whose logarithm has no end.
    const radius = Math.sqrt(-2 * Math.log((words[i]! + 0.5) / 2 ** 32));
    const angle = (2 * Math.PI * words[i + 1]!) / 2 ** 32;
    values[i] = radius * Math.cos(angle);
    values[i + 1] = radius * Math.sin(angle);
  }
  return values.subarray(0, count);
}
