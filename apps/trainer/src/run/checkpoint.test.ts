import '@tensorflow/tfjs-backend-cpu';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { articleDiscriminator, articleGenerator } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { copyWeights } from '../gan/ema.ts';
import type { Gan } from '../gan/gan.ts';
import { initializeNetwork } from '../gan/network-state.ts';
import {
  type CheckpointChoice,
  checkpointWeights,
  keepCheckpoint,
  listCheckpoints,
  readCheckpoint,
  readNewestCheckpoint,
  restoreGan,
  saveBestCheckpoint,
  saveCheckpoint,
} from './checkpoint.ts';
import { encodeCheckpoint } from './checkpoint-file.ts';

const small = { imageSize: 16, width: 1 / 16 };

/** Stands for an encoder: any network does. */
const encoder = articleGenerator({ ...small, latentSize: 3 });

const networks = {
  generator: articleGenerator(small),
  discriminator: articleDiscriminator(small),
  encoder: { ...encoder, name: 'encoder' },
  hasEma: false,
  beginDiscriminator: () => initializeNetwork(articleDiscriminator(small), 'begun anew'),
};

function makeGan(key: string): Gan {
  return {
    generator: initializeNetwork(articleGenerator(small), `${key}/generator`),
    discriminator: initializeNetwork(articleDiscriminator(small), `${key}/discriminator`),
    encoder: initializeNetwork({ ...encoder, name: 'encoder' }, `${key}/encoder`),
    ema: undefined,
  };
}

const values = (gan: Gan) =>
  [gan.generator, gan.discriminator, gan.encoder!].map(({ weights, moments, steps }) => [
    steps,
    [...weights].map(([name, tensor]) => [name, [...tensor.dataSync()]]),
    [...moments].map(([name, { first, second }]) => [
      name,
      [...first.dataSync(), ...second.dataSync()],
    ]),
  ]);

let folder: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killme-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const silent = () => undefined;

describe('a checkpoint', () => {
  it('brings back weights, moments and steps, bit for bit', async () => {
    const gan = makeGan('one');
    gan.generator.steps = 7;
    gan.discriminator.steps = 5;
    gan.encoder!.steps = 7; // it takes its steps with G
    gan.generator.moments.get('conv2d/kernel')!.second.dispose();
    gan.generator.moments.get('conv2d/kernel')!.second = tf.fill([3, 3, 8, 8], 0.1);
    await saveCheckpoint(folder, { iteration: 12 }, gan);

    const checkpoint = (await readNewestCheckpoint(folder, silent))!;
    const other = restoreGan(checkpoint, networks);
    expect(checkpoint.iteration).toBe(12);
    expect(values(other)).toEqual(values(gan));
  });

  it('leaves a D that has not taken a step to its seed', async () => {
    await saveCheckpoint(folder, { iteration: 12 }, makeGan('one'));
    const { discriminator } = restoreGan((await readNewestCheckpoint(folder, silent))!, networks);
    const begun = { ...makeGan('one'), discriminator: networks.beginDiscriminator() };
    expect(values({ ...begun, discriminator })[1]).toEqual(values(begun)[1]);
  });

  it('brings back the EMA of G where the run keeps one, and is refused where it has none', async () => {
    const gan = makeGan('one');
    await saveCheckpoint(folder, { iteration: 1 }, gan);
    const without = (await readNewestCheckpoint(folder, silent))!;
    expect(() => restoreGan(without, { ...networks, hasEma: true })).toThrow(
      'the checkpoint is of other networks: it has no generator/ema/dense/kernel of [100,',
    );
    gan.ema = copyWeights(makeGan('ema').generator);
    await saveCheckpoint(folder, { iteration: 2 }, gan);
    const { ema } = restoreGan((await readNewestCheckpoint(folder, silent))!, {
      ...networks,
      hasEma: true,
    });
    const numbers = (weights: Map<string, tf.Tensor>) =>
      [...weights].map(([name, tensor]) => [name, [...tensor.dataSync()]]);
    expect(numbers(ema!)).toEqual(numbers(gan.ema));
  });

  it('is a safetensors file: eight bytes of length, a JSON header, the numbers', async () => {
    const gan = makeGan('one');
    const file = readFileSync(await saveCheckpoint(folder, { iteration: 3 }, gan));
    const length = Number(file.readBigUInt64LE());
    const header = JSON.parse(file.toString('utf8', 8, 8 + length));
    const { dtype, shape, data_offsets } = header['generator/conv2d_2/kernel'];
    expect([dtype, shape]).toEqual(['F32', [3, 3, 4, 3]]);
    const kernel = gan.generator.weights.get('conv2d_2/kernel')!.dataSync();
    expect(file.readFloatLE(8 + length + data_offsets[0])).toBe(kernel[0]);
    expect(
      8 +
        length +
        Math.max(
          ...Object.values(header as Record<string, { data_offsets?: number[] }>).map(
            (e) => e.data_offsets?.[1] ?? 0,
          ),
        ),
    ).toBe(file.length);
  });

  it('is kept with the one before it; older ones go', async () => {
    const gan = makeGan('one');
    for (const iteration of [5, 10, 15]) await saveCheckpoint(folder, { iteration }, gan);
    expect(await listCheckpoints(folder)).toEqual([
      'checkpoint-0000015.safetensors',
      'checkpoint-0000010.safetensors',
    ]);
  });

  it('that is cut short is passed over, with a warning', async () => {
    const gan = makeGan('one');
    await saveCheckpoint(folder, { iteration: 5 }, gan);
    const newest = await saveCheckpoint(folder, { iteration: 10 }, gan);
    truncateSync(newest, 5000);
    const warnings: string[] = [];
    const checkpoint = (await readNewestCheckpoint(folder, (line) => warnings.push(line)))!;
    expect(checkpoint.iteration).toBe(5);
    expect(warnings).toEqual([
      expect.stringMatching(/^checkpoint-0000010\.safetensors is passed over: it is cut short/),
    ]);
  });

  it.each([4, 60, 400, 9_000, 90_000])(
    'is passed over when bit %i × 8 is flipped',
    async (place) => {
      const gan = makeGan('one');
      await saveCheckpoint(folder, { iteration: 5 }, gan);
      const newest = await saveCheckpoint(folder, { iteration: 10 }, gan);
      const bytes = readFileSync(newest);
      bytes[place]! ^= 1;
      writeFileSync(newest, bytes);
      const warnings: string[] = [];
      const checkpoint = await readNewestCheckpoint(folder, (line) => warnings.push(line));
      expect(checkpoint?.iteration).toBe(5);
      expect(warnings[0]).toMatch(/^checkpoint-0000010\.safetensors is passed over: it is/);
    },
  );

  it('that is the best is read for an export, else the newest, and stays until a better one', async () => {
    const gan = makeGan('one');
    const iterationOf = async (choice: CheckpointChoice) =>
      (await readCheckpoint(folder, choice, silent))?.iteration;
    await saveCheckpoint(folder, { iteration: 5 }, gan);
    expect(await iterationOf('best')).toBe(5);
    await saveBestCheckpoint(folder, await encodeCheckpoint({ iteration: 7 }, gan));
    for (const iteration of [10, 15, 20]) await saveCheckpoint(folder, { iteration }, gan);
    expect([await iterationOf('best'), await iterationOf('newest')]).toEqual([7, 20]);
    await saveBestCheckpoint(folder, await encodeCheckpoint({ iteration: 18 }, gan));
    expect(await iterationOf('best')).toBe(18);
  });

  it('of other networks is refused by the name of what does not fit', async () => {
    await saveCheckpoint(folder, { iteration: 5 }, makeGan('one'));
    const checkpoint = (await readNewestCheckpoint(folder, silent))!;
    expect(() => checkpointWeights(checkpoint, articleGenerator())).toThrow(
      'the checkpoint is of other networks: it has no generator/dense/kernel of [100,131072]',
    );
  });

  it('that is kept aside survives the ones after it', async () => {
    const gan = makeGan('one');
    for (const iteration of [5, 10]) await saveCheckpoint(folder, { iteration }, gan);
    await keepCheckpoint(folder, 'before-collapse');
    const kept = readFileSync(join(folder, 'checkpoint-0000005.safetensors'));
    for (const iteration of [15, 20]) await saveCheckpoint(folder, { iteration }, gan);
    expect(readFileSync(join(folder, 'before-collapse.safetensors')).equals(kept)).toBe(true);
    expect(await listCheckpoints(folder)).toHaveLength(2);
  });

  it('is not written when a weight is no number, so the one before stays the newest', async () => {
    const gan = makeGan('one');
    await saveCheckpoint(folder, { iteration: 5 }, gan);
    gan.generator.weights.set('conv2d/bias', tf.fill([8], Number.NaN));
    await expect(saveCheckpoint(folder, { iteration: 10 }, gan)).rejects.toThrow(
      'training diverged: generator/conv2d/bias is not finite any more',
    );
    expect(await listCheckpoints(folder)).toEqual(['checkpoint-0000005.safetensors']);
  });

  it('that is missing is undefined', async () => {
    writeFileSync(join(folder, 'notes.txt'), '');
    expect(await readNewestCheckpoint(folder, silent)).toBeUndefined();
  });

  // Needs a disk small enough to fill, which only root can make.
  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'leaves nothing half-written where the disk is full',
    async () => {
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
      try {
        await expect(saveCheckpoint(disk, { iteration: 1 }, makeGan('one'))).rejects.toThrow(
          /^the disk is nearly full: a checkpoint takes 1 MiB, .* has 0 MiB left$/,
        );
        expect(await listCheckpoints(disk)).toEqual([]);
      } finally {
        execFileSync('umount', [disk]);
      }
    },
  );
});
