/**
 * Runs under Deno for replay.test.ts: training steps as they are and replayed. Prints JSON.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { articleDiscriminator, articleGenerator } from '@killme/model';
import { type Preset, presetByName } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { benchDataset } from '../../../bench/iterate.ts';
import { copyWeights } from '../../../gan/ema.ts';
import type { Gan } from '../../../gan/gan.ts';
import { stateSlots } from '../../../gan/gan-state.ts';
import { initializeNetwork } from '../../../gan/network-state.ts';
import { createIterations, type LaunchedIteration } from '../../../train/iteration.ts';
import { feed } from '../../feed.ts';
import { createReplay, type Step } from '../../replay.ts';
import { startEngine } from '../../start.ts';

/** What the test reads. */
export interface ReplayChecks {
  log: string[];
  /** Losses of the iterations and all weights and moments after them. */
  plain: TrainedNumbers;
  replayed: TrainedNumbers;
  resumed: TrainedNumbers;
  /** WebGPU objects that 100 replayed iterations create. */
  created: number;
  /** A product that tfjs adds up in a buffer of zeros: what it gives in four iterations. */
  accumulated: number[];
  /** A step whose number from the host is no feed: what it gives in four iterations. */
  unrecordable: { values: number[]; log: string[] };
}

interface TrainedNumbers {
  losses: number[];
  /** SHA-256 of the bytes of all weights and moments. */
  state: string;
}

const ITERATIONS = 6;
const SIZE = { imageSize: 16, width: 1 / 16 };

const preset: Preset = {
  ...presetByName('article'),
  imageSize: SIZE.imageSize,
  generator: articleGenerator(SIZE),
  discriminator: articleDiscriminator(SIZE),
};

function startGan(): Gan {
  const generator = initializeNetwork(preset.generator, 'g');
  const discriminator = initializeNetwork(preset.discriminator, 'd');
  return { generator, discriminator, ema: copyWeights(generator) };
}

/**
 * In the middle weights move to other buffers, as whitening makes them.
 * @param resumeAt the iteration before which all is read and begun again from what was read.
 */
async function train({
  replay,
  log = () => {},
  resumeAt,
}: {
  replay: boolean;
  log?: (line: string) => void;
  resumeAt?: number;
}): Promise<TrainedNumbers> {
  let gan = startGan();
  const options = { seed: 7, batch: 4, replay };
  const dataset = benchDataset(SIZE.imageSize);
  const start = () => createIterations({ gan, preset, dataset, options, log });
  let iterations = start();
  const losses: number[] = [];
  const launched: LaunchedIteration[] = [];
  const settle = async () => {
    for (const { readLosses } of launched.splice(0)) {
      losses.push(...Object.values(await readLosses()));
    }
  };
  for (let i = 0; i < ITERATIONS; i++) {
    if (i === resumeAt) {
      await settle();
      iterations.dispose();
      gan = await copyGan(gan);
      iterations = start();
    }
    launched.push(iterations.launch(i));
    if (i === 3) await moveBias(gan);
  }
  await settle();
  const state = createHash('sha256');
  for (const slot of stateSlots(gan)) state.update(await slot.read().data<'float32'>());
  iterations.dispose();
  return { losses, state: state.digest('hex') };
}

/** The numbers of a GAN in new tensors, as a checkpoint restores them. */
async function copyGan(gan: Gan): Promise<Gan> {
  const copy = startGan();
  const slots = stateSlots(gan);
  for (const [i, slot] of stateSlots(copy).entries()) {
    const tensor = slots[i]!.read();
    slot.read().dispose();
    slot.write(tf.tensor(await tensor.data<'float32'>(), tensor.shape));
    tensor.dispose();
  }
  copy.generator.steps = gan.generator.steps;
  copy.discriminator.steps = gan.discriminator.steps;
  return copy;
}

async function moveBias({ generator: { weights } }: Gan): Promise<void> {
  const bias = weights.get('dense/bias')!;
  const values = await bias.data<'float32'>();
  weights.set('dense/bias', tf.tensor1d(values.map((value) => value + 1)));
  bias.dispose();
}

async function countCreated(): Promise<number> {
  const dataset = benchDataset(SIZE.imageSize);
  const iterations = createIterations({
    ...{ gan: startGan(), preset, dataset },
    options: { seed: 7, batch: 4 },
  });
  const run = async (from: number, to: number) => {
    const launched = [];
    for (let i = from; i < to; i++) launched.push(iterations.launch(i));
    for (const { readLosses } of launched) await readLosses();
  };
  await run(0, 100);
  let created = 0;
  const { prototype } = GPUDevice;
  for (const name of ['createBuffer', 'createBindGroup'] as const) {
    const method = prototype[name] as (descriptor: unknown) => unknown;
    Object.assign(prototype, {
      [name](this: GPUDevice, descriptor: unknown) {
        created++;
        return method.call(this, descriptor);
      },
    });
  }
  await run(100, 200);
  iterations.dispose();
  return created;
}

async function takeAccumulated(): Promise<number[]> {
  const replay = createReplay();
  const step: Step = {
    state: [],
    keepCounts: () => () => {},
    run: () => {
      const values = tf.tidy(() => {
        const x = feed([4, 2048], () => new Float32Array(4 * 2048).fill(1)) as tf.Tensor2D;
        return tf.reshape(tf.max(tf.matMul(x, tf.ones([2048, 64]))), [1]) as tf.Tensor1D;
      });
      return { names: ['product'], values };
    },
  };
  const values: number[] = [];
  for (let i = 0; i < 4; i++) values.push(...(await replay.take('product', step).read()));
  replay.dispose();
  return values;
}

async function takeUnrecordable(): Promise<ReplayChecks['unrecordable']> {
  const log: string[] = [];
  const replay = createReplay({ log: (line) => log.push(line) });
  let count = 0;
  const step: Step = {
    state: [],
    keepCounts: () => () => {},
    run: () => {
      const x = feed([1], () => Float32Array.of(100 * count));
      const values = tf.tidy(() => tf.add(x, count) as tf.Tensor1D); // count should be a feed too
      x.dispose();
      return { names: ['sum'], values };
    },
  };
  const values: number[] = [];
  for (count = 0; count < 4; count++) values.push(...(await replay.take('sum', step).read()));
  replay.dispose();
  return { values, log };
}

await startEngine('webgpu', () => {});
const log: string[] = [];
const checks: ReplayChecks = {
  log,
  plain: await train({ replay: false }),
  replayed: await train({ replay: true, log: (line) => log.push(line) }),
  resumed: await train({ replay: true, resumeAt: 2 }),
  accumulated: await takeAccumulated(),
  unrecordable: await takeUnrecordable(),
  created: await countCreated(),
};
console.log(JSON.stringify(checks));
process.exit(0);
