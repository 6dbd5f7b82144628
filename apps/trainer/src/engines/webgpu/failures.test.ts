// @module-tag slow
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { COMMITTED_TRACES } from '../../verify/check-engine.ts';
import type { FailureChecks } from './failures-checks.ts';
import { describeOnWebgpu, MINUTES, runChecks } from './testing.ts';

describeOnWebgpu('what goes wrong on the GPU', () => {
  let checks: FailureChecks;

  beforeAll(async () => {
    checks = await runChecks<FailureChecks>(resolve(import.meta.dirname, 'failures-checks.ts'));
  }, 3 * MINUTES);

  it('is refused before it is tried where a step needs a larger buffer than the adapter takes', () => {
    expect(checks.limit).toMatch(
      /^UserError: this GPU takes buffers of \d+ MiB at most, a step needs one of \d+ MiB: give a --batch of at most 0\.50 times this one, or another --backend$/,
    );
  });

  it('is one line with the remedy where there is too little memory', () => {
    expect(checks.memory).toBe(
      'UserError: the GPU has too little memory (Not enough memory left.; Allocation of 1 GiB): ' +
        'give a smaller --batch, or another --backend',
    );
  });

  it('is one line where the GPU is lost; the last checkpoint stays, and none of zeros is written', () => {
    expect(checks.lost).toMatch(
      /^UserError: the GPU was lost: [^\n]+: the last checkpoint is kept, go on by --resume; if/,
    );
    expect(checks.saving).toBe(checks.lost);
    expect(checks.checkpoints).toEqual(['checkpoint-0000001.safetensors']);
    expect(checks.newest).toBe(1);
  });

  it(
    'ends the program with 1 and one line where the GPU does not answer in time',
    async () => {
      const cli = resolve(import.meta.dirname, '../../cli.ts');
      const command = [cli, 'check-engine', '--backend', 'webgpu', '--trace', COMMITTED_TRACES[0]!];
      const env = { ...process.env, KILLME_GPU_TIMEOUT: '1e-6' };
      const ended = await promisify(execFile)(process.execPath, command, { env }).catch(
        (error: { code: number; stderr: string }) => error,
      );
      expect(ended).toMatchObject({ code: 1 });
      expect(ended.stderr).toMatch(
        /^error: the GPU has not answered for 0\.000001 s: its driver hangs, [^\n]* by --resume; [^\n]*\n$/,
      );
    },
    2 * MINUTES,
  );
});
