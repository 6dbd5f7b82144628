import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadGeneratorFile, UserError } from '@killme/model';
import { readKerasGenerator, writeTfjsModel } from '@killme/model/keras';
import type { PresetName } from '@killme/model/training';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importGenerator } from './import.ts';

const REFERENCE = resolve(import.meta.dirname, '../../../../test/reference');

let folder: string;
let model: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killme-'));
  model = join(folder, 'dcgan-5000-iter.h5');
  copyFileSync(join(REFERENCE, 'keras2/generator.h5'), model);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const load = (path: string) =>
  loadGeneratorFile(async (name) => new Uint8Array(readFileSync(join(path, name))));

describe('importing a Keras generator', () => {
  it('writes a generator file beside it, and says what was read and taken for granted', async () => {
    const lines: string[] = [];
    const written = await importGenerator(model, { encoding: 'int8' }, (line) => lines.push(line));
    expect(written).toBe(join(folder, 'dcgan-5000-iter'));
    expect(lines).toEqual([
      'dcgan-5000-iter.h5: Keras 2.2.4, 13 layers, 52,779 parameters, latent 100, images 32×32×3',
      'its last layer ends at -1 and 1: images are taken as that range',
      'its latents are taken as uniform in [-1, 1); the file does not say. Most authors train on ' +
        'normal ones: if pictures look dull or all alike, import with --latents normal',
      expect.stringMatching(/^a Worker takes about 3\d MB of an isolate's 128 MB$/),
      expect.stringMatching(/^wrote \d+\.\d KiB as int8: .*dcgan-5000-iter$/),
    ]);
    const { manifest } = await load(written);
    expect(manifest).toMatchObject({
      preset: 'imported',
      image: { width: 32, height: 32, channels: 3 },
      training: { engine: 'Keras 2.2.4', note: 'imported from dcgan-5000-iter.h5' },
    });
  });

  it('reads a tfjs model and the shards beside it', async () => {
    const { network, weights } = await readKerasGenerator(readFileSync(model), { file: 'a.h5' });
    const tfjs = join(folder, 'tfjs');
    mkdirSync(tfjs);
    for (const [name, bytes] of writeTfjsModel(network, weights)) {
      writeFileSync(join(tfjs, name), bytes);
    }
    const silent = () => undefined;
    const file = join(tfjs, 'model.json');
    const written = await importGenerator(file, { encoding: 'float32' }, silent);
    expect(written).toBe(join(tfjs, 'model'));
    const same = await importGenerator(model, { encoding: 'float32' }, silent);
    const weightsIn = (path: string) => readFileSync(join(path, 'weights-0.bin'));
    expect(weightsIn(written).equals(weightsIn(same))).toBe(true);
    const checked = importGenerator(file, { encoding: 'int8', check: 'python' }, silent);
    await expect(checked).rejects.toThrow(
      '--check runs Keras or onnxruntime in Python, which tfjs models are not of',
    );
  });

  it('writes where it is asked to, in the encoding it is asked for, over an older generator file', async () => {
    const to = join(folder, 'mine');
    await importGenerator(model, { to, encoding: 'float32' }, () => undefined);
    await importGenerator(model, { to, encoding: 'float16' }, () => undefined);
    const { manifest } = await load(to);
    expect(manifest.tensors[0]).toMatchObject({ name: 'dense/kernel', encoding: 'float16' });
  });
});

/** Why an import is refused; a refusal leaves the folder as it was. */
async function refusal(path: string, options: { to?: string; preset?: PresetName } = {}) {
  const before = readdirSync(folder, { recursive: true });
  const error: unknown = await importGenerator(
    join(folder, path),
    { encoding: 'int8', ...options },
    () => undefined,
  ).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UserError);
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
  return (error as UserError).message;
}

describe('an import that cannot be is refused in one line, with nothing written:', () => {
  it('a file that is not there, or a folder', async () => {
    expect(await refusal('other.h5')).toBe(`there is no file ${join(folder, 'other.h5')}`);
    expect(await refusal('.')).toMatch(/ is a folder: name a file in it$/);
  });

  it('a target in a folder that is not there', async () => {
    const to = join(folder, 'a', 'b');
    expect(await refusal('dcgan-5000-iter.h5', { to })).toBe(
      `--to: there is no folder ${join(folder, 'a')}`,
    );
  });

  it('a target that holds something else', async () => {
    mkdirSync(join(folder, 'dcgan-5000-iter'));
    writeFileSync(join(folder, 'dcgan-5000-iter', 'thesis.txt'), 'years of work');
    expect(await refusal('dcgan-5000-iter.h5')).toMatch(
      / exists and is no generator file: say with --to where to write instead$/,
    );
  });

  it('a file cut short; the command ends with 1', () => {
    truncateSync(model, 100_000);
    const cli = join(import.meta.dirname, '../cli.ts');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [cli, 'import', 'dcgan-5000-iter.h5'],
      { encoding: 'utf8', env: { ...process.env, INIT_CWD: folder, TURBO_INVOCATION_DIR: folder } },
    );
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: 'error: dcgan-5000-iter.h5 is damaged or cut short: copy or download it again\n',
    });
    expect(readdirSync(folder)).toEqual(['dcgan-5000-iter.h5']);
  }, 30_000);
});
