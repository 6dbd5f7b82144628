/**
 * `import --check PYTHON`: our output held against that of the program that a file is from.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type ImportedGenerator, UserError } from '@killme/model';
import * as z from 'zod';
import type { Render } from './import-render.ts';

/** As many as are compared, and how far apart they may be. */
const COMPARED = 8;
const BOUND = 1e-4;

const answerSchema = z.object({ version: z.string(), values: z.array(z.array(z.number())) });

/**
 * @returns a line on what was compared.
 * @throws UserError when Python fails, or the outputs differ.
 */
export async function checkAgainstOriginal(
  path: string,
  {
    check,
    generator,
    render,
    ...options
  }: {
    check?: string | undefined;
    config?: string | undefined;
    part?: string | undefined;
    generator: ImportedGenerator;
    render: Render;
  },
): Promise<string> {
  if (path.endsWith('.json')) {
    throw new UserError(
      '--check runs Keras or onnxruntime in Python, which tfjs models are not of',
    );
  }
  const size = generator.network.inputShape[0]!;
  const latents = render.latents(COMPARED, 'check');
  const rows = Array.from({ length: COMPARED }, (_, i) => [
    ...latents.subarray(i * size, (i + 1) * size),
  ]);
  const request = {
    ...{ path, config: options.config, part: options.part, output: generator.output },
    ...{ inputs: generator.inputs, latents: rows },
  };
  const { version, values } = await runPython(check!, request);
  const ours = await render.values(latents);
  let largest = 0;
  ours.forEach((image, i) => {
    const theirs = values[i] ?? [];
    if (theirs.length !== image.length) {
      throw new UserError(
        `--check: ${version} makes ${theirs.length} numbers, not ${image.length}`,
      );
    }
    image.forEach((value, j) => {
      largest = Math.max(largest, Math.abs(value - theirs[j]!));
    });
  });
  const line = `largest difference from ${version} on ${COMPARED} latents: ${largest.toExponential(1)}`;
  if (largest < BOUND) return line;
  throw new UserError(`--check: ${line}, more than ${BOUND}`);
}

async function runPython(python: string, request: object) {
  const script = join(import.meta.dirname, 'check_import.py');
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [out, err]: string[] = ['', ''];
  let [stdout, stderr] = [out!, err!];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdin.on('error', () => undefined); // its exit status says so
  const ended = new Promise<number | null>((done, fail) => {
    child.on('error', () => fail(new UserError(`--check: ${python} cannot be run`)));
    child.on('close', done);
  });
  child.stdin.end(JSON.stringify(request));
  const status = await ended;
  if (status !== 0) {
    const last = stderr.trim().split('\n').at(-1) ?? '';
    throw new UserError(`--check: Python failed: ${last}`);
  }
  return answerSchema.parse(JSON.parse(stdout));
}
