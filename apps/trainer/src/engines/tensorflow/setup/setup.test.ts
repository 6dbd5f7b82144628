import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingLibraries } from '../cuda-libraries.ts';
import { findPython, succeeds } from './tools.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'setup-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A wheel with nothing but its metadata, for a package index of a folder. */
async function writeWheel(name: string, version: string, requires: string[] = []): Promise<void> {
  const escaped = name.replaceAll('-', '_');
  const info = join(folder, name, `${escaped}-${version}.dist-info`);
  await mkdir(info, { recursive: true });
  const required = requires.map((line) => `Requires-Dist: ${line}\n`).join('');
  const head = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`;
  await writeFile(join(info, 'METADATA'), `${head}Provides-Extra: and-cuda\n${required}`);
  await writeFile(
    join(info, 'WHEEL'),
    'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  );
  await writeFile(join(info, 'RECORD'), '');
  const file = join(folder, `${escaped}-${version}-py3-none-any.whl`);
  await run(findPython(undefined), ['-m', 'zipfile', '-c', file, info], { cwd: folder });
}

const wheels = resolve(import.meta.dirname, '../../../../../../.cache/tensorflow/2.21.0-cuda');
const canPlan =
  process.platform === 'linux' &&
  !existsSync(wheels) && // installed ones are not resolved
  ['g++', 'make'].every((tool) => succeeds(tool, ['--version'])) &&
  succeeds('python3', ['-m', 'pip', '--version']);

describe.runIf(canPlan)('setup:tensorflow --gpu --dry-run', () => {
  it('names the wheels that pip resolves, with those of the extra and-cuda, and their folders', async () => {
    await writeWheel('tensorflow', '2.21.0', [
      'numpy>=1.26.0',
      'nvidia-cuda-runtime-cu12<13.0,>=12.5.82; extra == "and-cuda"',
      'nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"',
    ]);
    await writeWheel('nvidia-cuda-runtime-cu12', '12.9.79');
    await writeWheel('nvidia-cuda-runtime-cu12', '13.0.1'); // the wheel asks for less
    await writeWheel('nvidia-cudnn-cu12', '9.14.0.64');
    const env = { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder, PIP_CONSTRAINT: '' };
    const setup = resolve(import.meta.dirname, 'setup.ts');
    const { stdout } = await run(process.execPath, [setup, '--gpu', '--dry-run'], { env });
    const cache = /into (.*):/.exec(stdout)![1]!;
    expect(stdout).toContain(
      `  tensorflow==2.21.0                 file://${folder}/tensorflow-2.21.0`,
    );
    expect(stdout).toContain('  nvidia-cuda-runtime-cu12==12.9.79  file://');
    expect(stdout).toContain('  nvidia-cudnn-cu12==9.14.0.64       file://');
    expect(stdout).not.toContain('numpy');
    for (const part of ['tensorflow', 'nvidia/cuda_runtime/lib', 'nvidia/cudnn/lib']) {
      expect(stdout).toContain(`\n  ${join(cache, part)}\n`);
    }
    // Those of planned wheels are not missing.
    expect(stdout.split('missing: ')[1] ?? '').not.toMatch(/libcudnn|libcudart/);
  });
});

describe.runIf(process.platform === 'linux')('missing libraries', () => {
  it('are named with what brings them; one that is there is not', () => {
    const c = { name: 'libc.so.6', from: 'the system' };
    const absent = { name: 'libabsent.so.9', from: 'nvidia-absent-cu12' };
    expect(missingLibraries([c, absent], [])).toEqual(['libabsent.so.9 (of nvidia-absent-cu12)']);
  });

  it('are looked for in the folders given; a damaged one is named with the reason', async () => {
    const path = join(folder, 'libdamaged.so.1');
    await writeFile(path, '');
    expect(missingLibraries([{ name: 'libdamaged.so.1', from: 'a wheel' }], [folder])).toEqual([
      `libdamaged.so.1 (of a wheel: ${path}: file too short)`,
    ]);
  });
});
