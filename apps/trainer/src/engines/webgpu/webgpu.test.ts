// @module-tag slow
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { createRandom } from '@killme/model';
import { describe, expect, it } from 'vitest';
import { COMMITTED_TRACES } from '../../verify/check-engine.ts';
import { NeedsDeno, startEngine } from '../start.ts';
import type { WebgpuChecks } from './checks.ts';
import { describeOnWebgpu, found, MINUTES, runChecks } from './testing.ts';

/** Words of Philox-4x32-10, in 64-bit arithmetic that the shader does not have. */
function philox(counter: bigint[], key: bigint[]): bigint[] {
  let [a, b, c, d] = counter as [bigint, bigint, bigint, bigint];
  let [k, l] = key as [bigint, bigint];
  const word = (value: bigint) => value & 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const [first, second] = [0xd2511f53n * a, 0xcd9e8d57n * c];
    [a, b, c, d] = [(second >> 32n) ^ b ^ k, word(second), (first >> 32n) ^ d ^ l, word(first)];
    [k, l] = [word(k + 0x9e3779b9n), word(l + 0xbb67ae85n)];
  }
  return [a, b, c, d];
}

describe('choosing webgpu', () => {
  it('in Node asks to go on in Deno, before anything is started', async () => {
    const lines: string[] = [];
    const start = startEngine('webgpu', (line) => lines.push(line));
    await expect(start).rejects.toThrow(NeedsDeno);
    expect(lines).toEqual([]);
  });

  it('knows a software adapter from a GPU, or says what is missing', () => {
    if (found.available) expect(found.software).toBe(/llvmpipe|swiftshader/i.test(found.device));
    else expect(found.remedy).not.toBe('');
  });
});

describeOnWebgpu('the webgpu engine', () => {
  it(
    'has kernels that agree with tfjs on the cpu, samples Philox masks, leaks nothing and repeats itself',
    async () => {
      const checks = await runChecks<WebgpuChecks>(resolve(import.meta.dirname, 'checks.ts'));
      for (const [name, difference] of Object.entries(checks.differences)) {
        // Numbers around 100 have two digits less to differ in.
        expect(difference, name).toBeLessThan(name.includes('far from 0') ? 1e-4 : 2e-6);
      }
      expect(checks.mask.mean).toBeCloseTo(1, 2);
      expect(checks.mask).toMatchObject({ repeated: true, changed: true });
      const words = [...createRandom('mask').uint32s(4)].map(BigInt);
      const halves = [0n, 1n].flatMap((index) =>
        philox([index, 0n, ...words.slice(2)], words.slice(0, 2)).flatMap((word) => [
          word & 0xffffn,
          word >> 16n,
        ]),
      );
      expect(checks.mask.first.map((value) => value === 0)).toEqual(
        halves.map((half) => half < 0.25 * 65536),
      );
      expect(checks.leaked).toEqual({ tensors: 0, buffers: 0 });
      expect(checks.repeated).toBe(true);
      expect(checks.products).toBe(1);
      expect(checks.tooLarge).toMatch(/^the GPU failed: ./);
    },
    2 * MINUTES,
  );

  it(
    'trains as real Keras does, started from Node',
    async () => {
      const cli = resolve(import.meta.dirname, '../../cli.ts');
      const command = [cli, 'check-engine', '--backend', 'webgpu', '--trace', COMMITTED_TRACES[0]!];
      const { stdout } = await promisify(execFile)(process.execPath, command);
      expect(stdout).toContain('engine: webgpu on ');
      expect(stdout).toContain('narrow: 20 iterations of Keras');
      expect(stdout).not.toContain('TOO FAR');
    },
    4 * MINUTES,
  );
});

it('is Philox as published (known answers of Random123)', () => {
  const zeros = philox([0n, 0n, 0n, 0n], [0n, 0n]);
  expect(zeros).toEqual([0x6627e8d5n, 0xe169c58dn, 0xbc57ac4cn, 0x9b00dbd8n]);
});
