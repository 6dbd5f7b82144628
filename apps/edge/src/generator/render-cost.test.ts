import { articleGenerator } from '@killme/model';
import { expect, it } from 'vitest';
import { estimateRenderMs } from './render-cost.ts';

it('counts the multiply-adds of the article’s generator, and the numbers that pass its layers', () => {
  const dense = 100 * 131_072;
  const convolutions = 128 * 128 * 9 * 64 ** 2 + 128 * 64 * 9 * 128 ** 2 + 64 * 3 * 9 * 128 ** 2;
  const multiplyAdds = dense + convolutions;
  expect(multiplyAdds).toBe(1_853_358_080);
  // By adding up the sizes of its layers' outputs.
  const passing = 7_831_552 * 2e-7;
  const network = articleGenerator();
  expect(estimateRenderMs(network, 'integer')).toBeCloseTo(multiplyAdds / 105e6 + passing, 6);
  expect(estimateRenderMs(network, 'float32')).toBeCloseTo(multiplyAdds / 66e6 + passing, 6);
});
