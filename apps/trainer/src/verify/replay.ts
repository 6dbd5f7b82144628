/**
 * Follows a trace of real Keras by our training step, on whatever engine is current; where it records steps, the
 * parts of the step are recorded in the first iteration and replayed.
 *
 * @module
 */
import { articleDiscriminator, articleGenerator, product } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { feed } from '../engines/feed.ts';
import { createReplay, type Step } from '../engines/replay.ts';
import {
  type DropoutMasks,
  generateImages,
  type SubStep,
  trainDiscriminator,
  trainGenerator,
} from '../gan/article-step.ts';
import type { Gan } from '../gan/gan.ts';
import { keepStepCounts, networksOf, stateSlots } from '../gan/gan-state.ts';
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

/**
 * @param log gets a line for each part of the step that the engine records.
 * @returns a row for each quantity of each part of each iteration.
 */
export async function replayTrace(
  trace: Trace,
  log: (line: string) => void = () => {},
): Promise<ReplayRow[]> {
  const gan: Gan = {
    generator: initialState(trace, 'generator'),
    discriminator: initialState(trace, 'discriminator'),
    ema: undefined,
  };
  const replay = createReplay({ log });
  const at = { iteration: trace.iterations[0]! };
  const stepOf = partsOf(trace, gan, at);
  const rows: ReplayRow[] = [];
  for (const [index, iteration] of trace.iterations.entries()) {
    at.iteration = iteration;
    const take = (part: SubStep) => replay.take(part, stepOf(part)).read();
    rows.push(...(await compareIteration({ trace, gan, iteration, index, take })));
  }
  const last = rows.findLast(({ quantity }) => quantity === 'weights');
  if (last && trace.final) rows.push({ ...last, ...(await compareFinal(trace, gan)) });
  replay.dispose();
  return rows;
}

/** Takes the parts of an iteration one after the other, and compares what each has left. */
async function compareIteration({
  trace,
  gan,
  iteration: recorded,
  index: iteration,
  take,
}: {
  trace: Trace;
  gan: Gan;
  iteration: TraceIteration;
  index: number;
  take: (part: SubStep) => Promise<Float32Array>;
}): Promise<ReplayRow[]> {
  const rows: ReplayRow[] = [];
  const add = (
    part: SubStep,
    quantity: ReplayRow['quantity'],
    difference: number,
    rounding = recorded.rounding[part][quantity] ?? 0,
  ) => rows.push({ iteration, part, quantity, difference, rounding });

  if (recorded.fakeImages) {
    const difference = await compareFakeImages(trace, gan, recorded, recorded.fakeImages);
    add('fake', 'fakeImages', difference, recorded.rounding.fakeImages);
  }
  for (const part of ['real', 'fake'] as const) {
    const [loss, accuracy] = await take(part);
    add(part, 'loss', relative(loss!, recorded[`${part}Loss`]));
    add(part, 'accuracy', Math.abs(accuracy! - recorded[`${part}Accuracy`]));
    await addStates(part, gan, recorded.after[part], add);
  }
  const [loss] = await take('generator');
  add('generator', 'loss', relative(loss!, recorded.generatorLoss));
  await addStates('generator', gan, recorded.after.generator, add);
  return rows;
}

async function compareFakeImages(
  trace: Trace,
  { generator }: Gan,
  { discriminatorLatents }: TraceIteration,
  fakeImages: TensorReference,
): Promise<number> {
  const upload = (reference: TensorReference) => tf.tensor(trace.read(reference), reference.shape);
  const difference = tf.tidy(() => {
    const images = generateImages(generator, upload(discriminatorLatents) as tf.Tensor2D);
    return tf.max(tf.abs(tf.sub(images, upload(fakeImages))));
  });
  const [largest] = await difference.data<'float32'>();
  difference.dispose();
  return largest!;
}

/** Every weight of both networks one by one, where the trace holds them all. */
async function compareFinal(
  trace: Trace,
  gan: Gan,
): Promise<Pick<ReplayRow, 'quantity' | 'difference'>> {
  const farthest = async (tensor: tf.Tensor, reference: TensorReference) => {
    const ours = await tensor.data<'float32'>();
    return trace
      .read(reference)
      .reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i]!)), 0);
  };
  const differences = (['generator', 'discriminator'] as const).flatMap((name) =>
    Object.entries(trace.final?.[name].weights ?? {}).map(([weight, reference]) =>
      farthest(gan[name].weights.get(weight)!, reference),
    ),
  );
  return { quantity: 'finalWeights', difference: await largest(differences) };
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

/** The parts of the article's step, each a step of its own: the trace has the weights after each of them. */
function partsOf(trace: Trace, gan: Gan, at: { iteration: TraceIteration }) {
  const input = (pick: (iteration: TraceIteration) => TensorReference) =>
    feed(pick(at.iteration).shape, () => trace.read(pick(at.iteration)));
  const options = { dropoutMasks: recordedMasks(trace, at), adam: trace.adam };
  const discriminatorStep = (part: 'real' | 'fake', images: tf.Tensor4D) => {
    const { loss, accuracy } = trainDiscriminator(gan.discriminator, images, part, options);
    images.dispose();
    return numbersOf({ loss, accuracy });
  };
  const steps: Record<SubStep, Step['run']> = {
    real: () => discriminatorStep('real', input(({ realImages }) => realImages) as tf.Tensor4D),
    fake() {
      const latents = input((iteration) => iteration.discriminatorLatents) as tf.Tensor2D;
      const images = generateImages(gan.generator, latents);
      latents.dispose();
      return discriminatorStep('fake', images);
    },
    generator() {
      const latents = input((iteration) => iteration.generatorLatents) as tf.Tensor2D;
      const loss = trainGenerator(gan, latents, options);
      latents.dispose();
      return numbersOf({ loss });
    },
  };
  return (part: SubStep): Step => ({
    state: stateSlots(gan),
    keepCounts: () => keepStepCounts(networksOf(gan)),
    run: steps[part],
  });
}

function numbersOf(scalars: Record<string, tf.Scalar>) {
  const values = tf.stack(Object.values(scalars)) as tf.Tensor1D;
  tf.dispose(scalars);
  return { names: Object.keys(scalars), values };
}

function recordedMasks(trace: Trace, at: { iteration: TraceIteration }): DropoutMasks {
  return (part, layer, shape, rate) => {
    const kept = Math.fround(1 / (1 - rate));
    return feed(shape, () => {
      const reference = at.iteration.dropoutMasks?.[part][layer];
      if (!reference) throw new Error(`the trace has no dropout mask of ${layer} for ${part}`);
      return trace.read(reference).map((bit) => bit * kept);
    });
  };
}

const largest = async (differences: readonly Promise<number>[]): Promise<number> =>
  Math.max(0, ...(await Promise.all(differences)));

async function addStates(
  part: SubStep,
  gan: Gan,
  after: { generator?: TraceState | undefined; discriminator?: TraceState | undefined },
  add: (part: SubStep, quantity: ReplayRow['quantity'], difference: number) => void,
): Promise<void> {
  // All at once: under Deno a read of a GPU takes 10 ms, however many others there are.
  const found: Record<'weights' | 'm' | 'v', Promise<number>[]> = { weights: [], m: [], v: [] };
  for (const name of ['generator', 'discriminator'] as const) {
    const state = after[name];
    if (!state) continue;
    const { weights, moments } = gan[name];
    for (const [weight, sample] of Object.entries(state.weights)) {
      found.weights.push(fromSample(weights.get(weight)!, sample, 1));
    }
    for (const [weight, sample] of Object.entries(state.m ?? {})) {
      found.m.push(fromSample(moments.get(weight)!.first, sample));
    }
    for (const [weight, sample] of Object.entries(state.v ?? {})) {
      found.v.push(fromSample(moments.get(weight)!.second, sample));
    }
  }
  const [weights, m, v] = await Promise.all([found.weights, found.m, found.v].map(largest));
  add(part, 'weights', weights!);
  if (after.generator?.m || after.discriminator?.m) {
    add(part, 'm', m!);
    add(part, 'v', v!);
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

const relative = (loss: number, recorded: number) => Math.abs(loss - recorded) / Math.abs(recorded);
