/**
 * Runs under Deno for replay.test.ts: training steps as they are and replayed. Prints JSON.
 *
 * @module
 */
import {
  articleDiscriminator,
  articleGenerator,
  createRandom,
  dense,
  sequential,
} from '@killme/model';
import { type Preset, presetByName } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { type Gan, initializeGan } from '../../../gan/gan.ts';
import { disposeNetwork, initializeNetwork } from '../../../gan/network-state.ts';
import { learnRegression, meanSquaredError } from '../../../gan/regression.ts';
import { createIterations } from '../../../train/iteration.ts';
import { noiseDataset } from '../../../verify/noise-dataset.ts';
import {
  type RepeatOptions,
  repeatSteps,
  type TrainedNumbers,
} from '../../../verify/repeat-steps.ts';
import { stepCase } from '../../../verify/step-cases.ts';
import { feed } from '../../feed.ts';
import { createReplay, type Step, takeStep } from '../../replay.ts';
import { startEngine } from '../../start.ts';
import { countCreated } from '../count-created.ts';

/** What the test reads. */
export interface ReplayChecks {
  log: string[];
  /** Losses of the iterations and all weights and moments after them. */
  plain: TrainedNumbers;
  replayed: TrainedNumbers;
  resumed: TrainedNumbers;
  /** Of lite with a shared start, in the warm-up and after it. */
  lite: { log: string[]; plain: TrainedNumbers; replayed: TrainedNumbers };
  /** Weights of a network that has learned a sum and a difference, as the mapping network is learned. */
  regression: { log: string[]; plain: number[]; replayed: number[] };
  /** WebGPU objects that 100 replayed iterations create. */
  created: number;
  /** Numbers of a product whose sum is split: of the step as it is, then of four replayed iterations. */
  splitProducts: string[];
  /** A step whose number from the host is no feed: what it gives in four iterations. */
  unrecordable: { values: number[]; log: string[] };
}

const ITERATIONS = 6;
const SIZE = { imageSize: 16, width: 1 / 16 };

const preset: Preset = {
  ...presetByName('article'),
  imageSize: SIZE.imageSize,
  generator: articleGenerator(SIZE),
  discriminator: articleDiscriminator(SIZE),
};

const dataset = noiseDataset(SIZE.imageSize);

/** In the middle weights move to other buffers, as whitening makes them. */
const train = (options: Pick<RepeatOptions, 'replay' | 'log' | 'resumeAt'>) =>
  repeatSteps({
    ...{ preset, dataset, batch: 4, iterations: ITERATIONS, ...options },
    after: async (gan, iteration) => {
      if (iteration === 3) await moveBias(gan);
    },
  });

async function trainLite(): Promise<ReplayChecks['lite']> {
  const methods = { warmUp: 5, sharedStart: true };
  const step = { ...stepCase('lite', { narrow: true }, methods), batch: 4, iterations: 10 };
  const log: string[] = [];
  return {
    log,
    replayed: await repeatSteps({ ...step, replay: true, log: (line) => log.push(line) }),
    plain: await repeatSteps({ ...step, replay: false }),
  };
}

async function learnSums(replay: boolean, log?: (line: string) => void): Promise<number[]> {
  const network = sequential('sums', [2], [dense(4, { activation: 'relu' }), dense(2)]);
  const state = initializeNetwork(network, 'sums');
  const random = createRandom('sums');
  const next = () => {
    const input = random.uniform(2 * 8);
    const sums = (_: unknown, i: number) => input[i & ~1]! + (i % 2 ? -1 : 1) * input[i | 1]!;
    return { input, target: Float32Array.from(input, sums) };
  };
  await learnRegression(state, next, { steps: 9, loss: meanSquaredError, replay, log });
  const weights = await Promise.all([...state.weights.values()].map((weight) => weight.data()));
  disposeNetwork(state);
  return weights.flatMap((values) => [...values]);
}

async function regressionChecks(): Promise<ReplayChecks['regression']> {
  const log: string[] = [];
  const replayed = await learnSums(true, (line) => log.push(line));
  return { log, replayed, plain: await learnSums(false) };
}

async function moveBias({ generator: { weights } }: Gan): Promise<void> {
  const bias = weights.get('dense/bias')!;
  const values = await bias.data<'float32'>();
  weights.set('dense/bias', tf.tensor1d(values.map((value) => value + 1)));
  bias.dispose();
}

async function createdByReplays(): Promise<number> {
  const iterations = createIterations({
    ...{ gan: initializeGan(preset, 0), preset, dataset },
    options: { seed: 7, batch: 4 },
  });
  const run = async (from: number, to: number) => {
    const launched = [];
    for (let i = from; i < to; i++) launched.push(iterations.launch(i));
    for (const { readLosses } of launched) await readLosses();
  };
  await run(0, 100);
  const created = countCreated();
  await run(100, 200);
  iterations.dispose();
  return created();
}

/** A product of which tfjs would add up parts over atomics. */
async function takeSplitProducts(): Promise<string[]> {
  const replay = createReplay();
  const step: Step = {
    state: [],
    keepCounts: () => () => {},
    run: () => {
      const values = tf.tidy(() => {
        const x = feed([40, 8192], () => createRandom('x').uniform(40 * 8192)) as tf.Tensor2D;
        const y = tf.tensor2d(createRandom('y').uniform(8192 * 40), [8192, 40]);
        return tf.reshape(tf.slice(tf.matMul(x, y), [0, 0], [1, 8]), [8]) as tf.Tensor1D;
      });
      return { names: [...'abcdefgh'], values };
    },
  };
  const products: string[] = [];
  for (let i = 0; i < 4; i++) products.push((await replay.take('product', step).read()).join());
  replay.dispose();
  return [(await takeStep(step).read()).join(), ...products];
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
  lite: await trainLite(),
  regression: await regressionChecks(),
  splitProducts: await takeSplitProducts(),
  unrecordable: await takeUnrecordable(),
  created: await createdByReplays(),
};
console.log(JSON.stringify(checks));
process.exit(0);
