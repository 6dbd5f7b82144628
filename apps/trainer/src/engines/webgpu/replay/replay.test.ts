import { resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { describeOnWebgpu, MINUTES, runChecks } from '../testing.ts';
import type { ReplayChecks } from './checks.ts';

describeOnWebgpu('a replayed step on webgpu', () => {
  let checks: ReplayChecks;

  beforeAll(async () => {
    checks = await runChecks<ReplayChecks>(resolve(import.meta.dirname, 'checks.ts'));
  }, 3 * MINUTES);

  it('ends with the bits of the step as it is, also where weights moved to other buffers', () => {
    expect(checks.log).toEqual([
      expect.stringMatching(/^step "article" recorded: \d+ dispatches; /),
    ]);
    expect(checks.plain.losses).toHaveLength(6 * 5);
    expect(checks.replayed.losses).toEqual(checks.plain.losses);
    expect(checks.replayed.state).toEqual(checks.plain.state);
  });

  it('ends with the same bits for lite with a shared start, every kind of its steps', () => {
    const kinds = checks.lite.log.map((line) => /^step "(.*)" recorded: /.exec(line)?.[1]);
    expect(kinds).toEqual([
      'lite, warm-up',
      'lite, end of the warm-up',
      'lite, with D and penalty',
      'lite, with D',
    ]);
    expect(checks.lite.replayed).toEqual(checks.lite.plain);
  });

  it('ends with the same bits for a network that learns numbers, its rate falling', () => {
    expect(checks.regression.log).toEqual([
      expect.stringMatching(/^step "sums" recorded: \d+ dispatches; /),
    ]);
    expect(checks.regression.replayed).toHaveLength(2 * 4 + 4 + 4 * 2 + 2);
    expect(checks.regression.replayed).toEqual(checks.regression.plain);
  });

  it('goes on bit for bit from what was read of the state', () => {
    expect(checks.resumed).toEqual(checks.replayed);
  });

  it('gives a product whose sum is split the same bits each time', () => {
    expect(checks.splitProducts[0]!.split(',')).toHaveLength(8);
    expect(new Set(checks.splitProducts).size).toBe(1);
  });

  it('creates no buffer and no bind group', () => {
    expect(checks.created).toBe(0);
  });

  it('is not replayed where a number from the host is no feed, and says so', () => {
    expect(checks.unrecordable.values).toEqual([0, 101, 202, 303]);
    expect(checks.unrecordable.log.at(-1)).toMatch(/^step "sum" cannot be replayed: .* constant$/);
  });
});
