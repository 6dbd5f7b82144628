/**
 * What a run leaves for TensorBoard: `tensorboard --logdir runs/<name>`, or `--logdir runs` to
 * compare runs. See docs/training.md for what each tag shows.
 *
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stackLatents } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import type { Gan } from '../gan/gan.ts';
import { cellsAt, mapLatents } from '../gan/mapping-network.ts';
import { appendToFile } from '../run/folder.ts';
import { type IterationMetrics, mean } from '../run/metrics.ts';
import type { Sample } from '../run/samples.ts';
import {
  type EventContent,
  encodeEvent,
  frameRecord,
  histogramOf,
  type SummaryValue,
} from './tensorboard-events.ts';

/** Adds to the event file of a process; each call is one append, so a kill loses at most its end. */
export interface EventWriter {
  metrics(iteration: number, metrics: IterationMetrics): Promise<void>;
  samples(iteration: number, samples: ShownSamples): Promise<void>;
}

/**
 * Begins a new event file. A run that goes on has several; the mark of a session's start makes
 * TensorBoard drop what an earlier file has from `start` on, for these iterations come again.
 */
export async function startEventFile(folder: string, start: number): Promise<EventWriter> {
  await mkdir(folder, { recursive: true });
  const seconds = Math.floor(Date.now() / 1000);
  const path = join(folder, `events.out.tfevents.${seconds}.from-${start}`);
  const append = (step: number, content: EventContent) =>
    appendToFile(path, frameRecord(encodeEvent(Date.now() / 1000, step, content)));
  await append(start, { fileVersion: 'brain.Event:2' });
  await append(start, { sessionStart: true });
  return {
    metrics: (iteration, metrics) => append(iteration, { summary: metricScalars(metrics) }),
    async samples(iteration, samples) {
      await append(iteration, { summary: await sampleSummary(samples) });
    },
  };
}

/** Of what the iteration's step took. */
function metricScalars(metrics: IterationMetrics): SummaryValue[] {
  const {
    realLoss,
    fakeLoss,
    generatorLoss,
    realAccuracy,
    fakeAccuracy,
    reconstructionLoss,
    seconds,
  } = metrics;
  const scalars: [tag: string, value: number | undefined][] = [
    ['loss/discriminator', mean(realLoss, fakeLoss)],
    ['loss/discriminator_real', realLoss],
    ['loss/discriminator_fake', fakeLoss],
    ['loss/generator', generatorLoss],
    ['loss/reconstruction', reconstructionLoss],
    ['accuracy/discriminator', mean(realAccuracy, fakeAccuracy)],
    ['accuracy/discriminator_real', realAccuracy],
    ['accuracy/discriminator_fake', fakeAccuracy],
    ['time/seconds_an_iteration', seconds],
  ];
  return scalars.flatMap(([tag, scalar]) => (scalar === undefined ? [] : [{ tag, scalar }]));
}

/** What a run shows at one iteration, and what it was made from. */
export interface ShownSamples {
  grid: Sample;
  strip: Sample;
  /** The latents of the grid, the same all through a run. */
  latents: readonly Float32Array[];
  /** The latents of G's step of the iteration, one after the other. */
  stepLatents: Float32Array;
  gan: Gan;
}

/**
 * The grid and the strip; and the way of latents through the generator, as histograms: as they are
 * sampled, after the Dense layer (before any activation), and the pixels they end as.
 */
async function sampleSummary({
  grid,
  strip,
  latents,
  stepLatents,
  gan,
}: ShownSamples): Promise<SummaryValue[]> {
  const projected = await projectLatents(gan, latents);
  const pixels = Float32Array.from(grid.data, (level) => (level - 127.5) / 127.5);
  return [
    { tag: 'samples/grid', picture: grid },
    { tag: 'samples/strip', picture: strip },
    { tag: 'latents/step', histogram: histogramOf(stepLatents) },
    ...(projected ? [{ tag: 'latents/projected', histogram: histogramOf(projected) }] : []),
    { tag: 'latents/pixels', histogram: histogramOf(pixels) },
  ];
}

/** Latents after the Dense layer that makes the cells of the generator that is shown; undefined where it has none. */
async function projectLatents(
  { generator: { network, weights: trained }, ema }: Gan,
  latents: readonly Float32Array[],
): Promise<Float32Array | undefined> {
  const first = network.layers[cellsAt(network)];
  if (first?.layer.type !== 'dense') return undefined;
  const weights = ema ?? trained;
  const projected = tf.tidy(() => {
    const z = tf.tensor2d(stackLatents(latents), [latents.length, latents[0]!.length]);
    const kernel = weights.get(`${first.name}/kernel`) as tf.Tensor2D;
    const mapped = mapLatents({ network, weights }, z);
    return tf.add(tf.matMul(mapped, kernel), weights.get(`${first.name}/bias`)!);
  });
  try {
    return await projected.data<'float32'>();
  } finally {
    projected.dispose();
  }
}
