/**
 * Replays a trace of real Keras through our training step, on whatever engine is current.
 *
 * @module
 */
import { articleDiscriminator, articleGenerator, product } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import {
  type DropoutMasks,
  generateImages,
  type SubStep,
  trainDiscriminator,
  trainGenerator,
} from '../gan/article-step.ts';
import type { Gan } from '../gan/gan.ts';
import { createNetworkState, type NetworkState } from '../gan/network-state.ts';
import type { TensorReference, Trace, TraceIteration, TraceState } from './trace.ts';

/**
 * How far a replay was from its trace, at worst: losses and their like relative, weights absolute,
 * moments relative to the largest number of their tensor.
 */
export interface ReplayRow {
  /** 0 for the first. */
  iteration: number;
  part: SubStep;
  quantity: 'loss' | 'accuracy' | 'weights' | 'm' | 'v' | 'fakeImages' | 'finalWeights';
  difference: number;
  /** How far equally right float32 runs of Keras are from each other here. */
  rounding: number;
}

/** @returns a row for each quantity of each part of each iteration. */
export async function replayTrace(trace: Trace): Promise<ReplayRow[]> {
  const gan: Gan = {
    generator: initialState(trace, 'generator'),
    discriminator: initialState(trace, 'discriminator'),
    ema: undefined,
  };
  const rows: ReplayRow[] = [];
  for (const [index, iteration] of trace.iterations.entries()) {
    rows.push(...(await replayIteration(trace, gan, iteration, index)));
  }
  const last = rows.findLast(({ quantity }) => quantity === 'weights');
  if (last && trace.final) rows.push({ ...last, ...(await compareFinal(trace, gan)) });
  return rows;
}

/** Every weight of both networks one by one, where the trace holds them all. */
async function compareFinal(
  trace: Trace,
  gan: Gan,
): Promise<Pick<ReplayRow, 'quantity' | 'difference'>> {
  let difference = 0;
  for (const name of ['generator', 'discriminator'] as const) {
    for (const [weight, reference] of Object.entries(trace.final?.[name].weights ?? {})) {
      const ours = await gan[name].weights.get(weight)!.data<'float32'>();
      for (const [i, value] of trace.read(reference).entries()) {
        difference = Math.max(difference, Math.abs(value - ours[i]!));
      }
    }
  }
  return { quantity: 'finalWeights', difference };
}

function initialState(trace: Trace, name: 'generator' | 'discriminator'): NetworkState {
  const { imageSize, width, latentSize, dropoutRate } = trace;
  const network =
    name === 'generator'
      ? articleGenerator({ imageSize, width, latentSize })
      : articleDiscriminator({ imageSize, width, dropoutRate });
  return createNetworkState(network, (spec) => {
    const reference = trace.initial[name][spec.name];
    if (!reference) throw new Error(`the trace has no initial ${name}/${spec.name}`);
    return trace.read(reference);
  });
}

async function replayIteration(
  trace: Trace,
  gan: Gan,
  recorded: TraceIteration,
  iteration: number,
): Promise<ReplayRow[]> {
  const { adam } = trace;
  const upload = (reference: TensorReference) => tf.tensor(trace.read(reference), reference.shape);
  const options = { dropoutMasks: recordedMasks(trace, recorded), adam };
  const rows: ReplayRow[] = [];
  const add = (
    part: SubStep,
    quantity: ReplayRow['quantity'],
    difference: number,
    rounding = recorded.rounding[part][quantity] ?? 0,
  ) => rows.push({ iteration, part, quantity, difference, rounding });

  const fakeImages = generateImages(
    gan.generator,
    upload(recorded.discriminatorLatents) as tf.Tensor2D,
  );
  if (recorded.fakeImages) {
    const difference = await largestDifference(fakeImages, upload(recorded.fakeImages));
    add('fake', 'fakeImages', difference, recorded.rounding.fakeImages);
  }

  const halves = [
    ['real', upload(recorded.realImages) as tf.Tensor4D],
    ['fake', fakeImages],
  ] as const;
  for (const [part, images] of halves) {
    const { loss, accuracy } = trainDiscriminator(gan.discriminator, images, part, options);
    add(part, 'loss', await relative(loss, recorded[`${part}Loss`]));
    add(part, 'accuracy', Math.abs((await scalar(accuracy)) - recorded[`${part}Accuracy`]));
    await addStates(part, gan, recorded.after[part], add);
  }

  const latents = upload(recorded.generatorLatents) as tf.Tensor2D;
  const loss = trainGenerator(gan, latents, options);
  add('generator', 'loss', await relative(loss, recorded.generatorLoss));
  await addStates('generator', gan, recorded.after.generator, add);
  return rows;
}

function recordedMasks(trace: Trace, { dropoutMasks }: TraceIteration): DropoutMasks {
  return (part, layer, shape, rate) => {
    const reference = dropoutMasks?.[part][layer];
    if (!reference) throw new Error(`the trace has no dropout mask of ${layer} for ${part}`);
    const kept = Math.fround(1 / (1 - rate));
    return tf.tensor(
      trace.read(reference).map((bit) => bit * kept),
      [...shape],
    );
  };
}

async function addStates(
  part: SubStep,
  gan: Gan,
  after: { generator?: TraceState | undefined; discriminator?: TraceState | undefined },
  add: (part: SubStep, quantity: ReplayRow['quantity'], difference: number) => void,
): Promise<void> {
  const found = { weights: 0, m: 0, v: 0 };
  for (const name of ['generator', 'discriminator'] as const) {
    const state = after[name];
    if (!state) continue;
    const { weights, moments } = gan[name];
    for (const [weight, sample] of Object.entries(state.weights)) {
      const difference = await fromSample(weights.get(weight)!, sample, 1);
      found.weights = Math.max(found.weights, difference);
    }
    for (const [weight, sample] of Object.entries(state.m ?? {})) {
      found.m = Math.max(found.m, await fromSample(moments.get(weight)!.first, sample));
    }
    for (const [weight, sample] of Object.entries(state.v ?? {})) {
      found.v = Math.max(found.v, await fromSample(moments.get(weight)!.second, sample));
    }
  }
  add(part, 'weights', found.weights);
  if (after.generator?.m || after.discriminator?.m) {
    add(part, 'm', found.m);
    add(part, 'v', found.v);
  }
}

/**
 * How far a tensor is from the sample of its recorded twin: the first numbers one by one, and the sums
 * as if every number were off by the same (for the sum of squares: in root mean square).
 * @param scale what a difference is divided by; without it the largest number of the tensor.
 */
async function fromSample(
  tensor: tf.Tensor,
  sample: { sum: number; sumOfSquares: number; first: number[] },
  scale?: number,
): Promise<number> {
  const values = await tensor.data<'float32'>();
  const count = product(tensor.shape);
  let sum = 0;
  let sumOfSquares = 0;
  let largest = 0;
  for (const value of values) {
    sum += value;
    sumOfSquares += value * value;
    largest = Math.max(largest, Math.abs(value));
  }
  const rootMeanSquare = (squares: number) => Math.sqrt(squares / count);
  const differences = [
    ...sample.first.map((value, i) => Math.abs(values[i]! - value)),
    Math.abs(sum - sample.sum) / count,
    Math.abs(rootMeanSquare(sumOfSquares) - rootMeanSquare(sample.sumOfSquares)),
  ];
  return Math.max(...differences) / (scale ?? Math.max(largest, Number.MIN_VALUE));
}

async function relative(loss: tf.Scalar, recorded: number): Promise<number> {
  return Math.abs((await scalar(loss)) - recorded) / Math.abs(recorded);
}

async function largestDifference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  return scalar(tf.tidy(() => tf.max(tf.abs(tf.sub(a, b)))));
}

async function scalar(tensor: tf.Tensor): Promise<number> {
  return (await tensor.data<'float32'>())[0]!;
}
