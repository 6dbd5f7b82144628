import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dense, sequential } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { encode } from 'fast-png';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { initializeNetwork } from '../gan/network-state.ts';
import type { Sample } from '../run/samples.ts';
import { startEventFile } from './tensorboard.ts';
import { frameRecord } from './tensorboard-events.ts';

const metrics = {
  realLoss: 0.5,
  fakeLoss: 1,
  realAccuracy: 0.75,
  fakeAccuracy: 0.5,
  generatorLoss: 2.25,
  seconds: 1.5,
};

const newFolder = () => join(mkdtempSync(join(tmpdir(), 'killme-')), 'tensorboard');

/** The data of each record in the only event file of a folder; its frame is checked. */
function recordsIn(folder: string): Buffer[] {
  const [name, ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  let rest = readFileSync(join(folder, name!));
  const records: Buffer[] = [];
  while (rest.length > 0) {
    const length = Number(rest.readBigUInt64LE());
    const data = rest.subarray(12, 12 + length);
    expect(rest.subarray(0, 16 + length)).toEqual(Buffer.from(frameRecord(data)));
    records.push(data);
    rest = rest.subarray(16 + length);
  }
  return records;
}

beforeAll(() => tf.setBackend('cpu'));

describe('an event file', () => {
  it('is named so that TensorBoard finds it, in the order of a run’s restarts', async () => {
    const folder = newFolder();
    await startEventFile(folder, 1200);
    expect(readdirSync(folder)[0]).toMatch(/^events\.out\.tfevents\.\d{10}\.from-1200$/);
  });

  it('begins with its version and the start of a session at the iteration gone on from', async () => {
    const folder = newFolder();
    await startEventFile(folder, 5);
    const [head, session] = recordsIn(folder);
    expect(head!.toString('latin1')).toContain('brain.Event:2');
    // after the wall time: step = 5; session_log { status: START }
    expect(session!.subarray(9).toString('hex')).toBe('10053a020801');
  });

  it('has the scalars of an iteration in one record', async () => {
    const folder = newFolder();
    const events = await startEventFile(folder, 0);
    await events.metrics(3, metrics);
    const record = recordsIn(folder)[2]!.toString('latin1');
    expect(record.match(/(loss|accuracy|time)\/[a-z_]+/g)).toEqual([
      'loss/discriminator',
      'loss/discriminator_real',
      'loss/discriminator_fake',
      'loss/generator',
      'accuracy/discriminator',
      'accuracy/discriminator_real',
      'accuracy/discriminator_fake',
      'time/seconds_an_iteration',
    ]);
  });

  it('has of a warm-up what there is', async () => {
    const folder = newFolder();
    const events = await startEventFile(folder, 0);
    await events.metrics(3, { reconstructionLoss: 0.25, seconds: 1 });
    const record = recordsIn(folder)[2]!.toString('latin1');
    expect(record.match(/(loss|accuracy|time)\/[a-z_]+/g)).toEqual([
      'loss/reconstruction',
      'time/seconds_an_iteration',
    ]);
  });

  it('has the samples as they are on disk, and leaves no tensor behind', async () => {
    const folder = newFolder();
    const events = await startEventFile(folder, 0);
    const data = Uint8Array.of(0, 0, 0, 255, 255, 255);
    const picture = { width: 2, height: 1, channels: 3 as const, data };
    const sample: Sample = { ...picture, png: encode({ ...picture, depth: 8 }) };
    const generator = initializeNetwork(sequential('generator', [2], [dense(6)]), 'key');
    const discriminator = initializeNetwork(sequential('discriminator', [6], [dense(1)]), 'key');
    const before = tf.memory().numTensors;
    await events.samples(3, {
      grid: sample,
      strip: sample,
      latents: [Float32Array.of(0.5, -0.5)],
      stepLatents: Float32Array.of(-1, 1),
      gan: { generator, discriminator, ema: undefined },
    });
    expect(tf.memory().numTensors).toBe(before);
    const record = recordsIn(folder)[2]!;
    expect(record.includes(Buffer.from(sample.png))).toBe(true);
    expect(record.toString('latin1').match(/(samples|latents)\/[a-z]+/g)).toEqual([
      'samples/grid',
      'samples/strip',
      'latents/step',
      'latents/projected',
      'latents/pixels',
    ]);
  });
});
