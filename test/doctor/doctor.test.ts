import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const DOCTOR = fileURLToPath(new URL('./doctor.ts', import.meta.url));

describe('npm run doctor', () => {
  it('says what the machine has and what commands would use, a line each', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [DOCTOR, '--json']);
    const report: unknown = JSON.parse(stdout);
    expect(report).toMatchObject({
      machine: {
        Node: process.version,
        memory: expect.stringMatching(/^[\d.]+ GiB free of [\d.]+ GiB$/),
        'image formats': expect.stringMatching(/^sharp /),
      },
      commands: { 'npm run train': expect.stringMatching(/^engine: (tensorflow|webgpu|wasm)/) },
    });
    expect(stdout).not.toContain(fileURLToPath(new URL('../..', import.meta.url)).slice(0, -1));
  });
});
