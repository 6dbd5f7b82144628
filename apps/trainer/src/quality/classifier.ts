/**
 * A small classifier of a dataset's classes, trained on the reference half of its images: its accuracy
 * on the other half says what a class is worth, its last hidden layer gives features that know what
 * tells the images apart, and what it makes of generated images shows which classes a generator has lost.
 *
 * @module
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultCacheDir, writeFolderWhole } from '@killme/command-line';
import { type Dataset, oneHotLabels, takeBatch } from '@killme/data';
import {
  conv2d,
  createRandom,
  dense,
  flatten,
  leakyRelu,
  type Network,
  product,
  sequential,
} from '@killme/model';
import { applyNetwork } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import {
  applyAdam,
  createNetworkState,
  disposeNetwork,
  initializeNetwork,
  type NetworkState,
  trainableSpecs,
} from '../gan/network-state.ts';
import { formatDuration } from '../run/progress.ts';
import type { Features } from './features.ts';
import { type ImageSet, type RealHalves, takeImages } from './image-set.ts';

const MOST_STEPS = 300;
/** Of a batch, at {@link CHECK_EVERY} steps: the training images are learnt. */
const LEARNT = 1e-3;
const CHECK_EVERY = 20;
const BATCH = 32;
const ADAM = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
/** To be raised with any change of the network or its training: classifiers are trained anew then. */
const VERSION = 1;
const HIDDEN = 128;

/** A trained classifier on the host. */
export interface Classifier {
  classes: readonly string[];
  /** Share of the held-out half that it puts in the right class. */
  heldOutAccuracy: number;
  weights: ReadonlyMap<string, Float32Array>;
}

/** What a classifier makes of images. */
export interface Classified {
  /** Of its last hidden layer, `[count, 128]`. */
  features: Features;
  /** `[count]`, index into its classes. */
  labels: Uint16Array;
}

/** The classifier of a dataset: from the cache, or trained (a minute or two) and put there. */
export async function datasetClassifier({
  dataset,
  halves,
  seed,
  cacheDir = defaultCacheDir(),
  log,
}: {
  dataset: Dataset;
  halves: RealHalves;
  seed: number;
  cacheDir?: string | undefined;
  log: (line: string) => void;
}): Promise<Classifier> {
  const { classes, fingerprint, imageSize } = dataset;
  const name = `v${VERSION}-${fingerprint.slice(0, 32)}-${seed}`;
  const folder = join(cacheDir, 'classifiers', name);
  const network = classifierNetwork(imageSize, classes.length);
  const kept = await readClassifier(folder, network);
  if (kept) return { ...kept, classes };

  log(`training a classifier of ${classes.length} classes (once; kept in ${folder})`);
  const began = performance.now();
  const weights = await trainClassifier(dataset, halves, { network, seed, log });
  const { labels } = await classify({ weights, classes }, takeImages(dataset, halves.heldOut));
  const right = halves.heldOut.filter((place, i) => dataset.labels[place] === labels[i]).length;
  const heldOutAccuracy = right / halves.heldOut.length;
  await writeClassifier(folder, { heldOutAccuracy, weights });
  log(`trained it in ${formatDuration((performance.now() - began) / 1000)}`);
  return { classes, heldOutAccuracy, weights };
}

/** Four halvings by convolutions, one hidden layer: 1.1 million weights at 128×128. */
function classifierNetwork(imageSize: number, classes: number): Network {
  const halving = (filters: number) => [
    conv2d(filters, { kernelSize: 3, strides: 2 }),
    leakyRelu(0.2),
  ];
  return sequential(
    'classifier',
    [imageSize, imageSize, 3],
    [
      ...[16, 32, 64, 128].flatMap(halving),
      flatten(),
      dense(HIDDEN),
      leakyRelu(0.2),
      dense(classes),
    ],
  );
}

async function trainClassifier(
  dataset: Dataset,
  { reference }: RealHalves,
  { network, seed, log }: { network: Network; seed: number; log: (line: string) => void },
): Promise<Map<string, Float32Array>> {
  const key = `killme/quality/v1/${seed}/classifier`;
  const state = initializeNetwork(network, `${key}/weights`);
  try {
    for (let step = 0; step < MOST_STEPS; step++) {
      const chosen = createRandom(`${key}/batch/${step}`).integers(BATCH, reference.length);
      const batch = takeBatch(
        dataset,
        chosen.map((i) => reference[i]!),
      );
      const loss = trainStep(state, batch, dataset.classes);
      const isCheck = (step + 1) % CHECK_EVERY === 0;
      const [value] = isCheck ? await loss.data<'float32'>() : [];
      loss.dispose();
      if (value === undefined) continue;
      log(`classifier: step ${step + 1} of at most ${MOST_STEPS}, loss ${value.toPrecision(3)}`);
      if (value < LEARNT) break;
    }
    const weights = new Map<string, Float32Array>();
    for (const [name, tensor] of state.weights) weights.set(name, await tensor.data<'float32'>());
    return weights;
  } finally {
    disposeNetwork(state);
  }
}

/** One Adam step on the softmax cross-entropy of a batch. */
function trainStep(
  state: NetworkState,
  { images, labels }: { images: Float32Array; labels: Uint16Array },
  classes: readonly string[],
): tf.Scalar {
  const { network, weights } = state;
  const [height, width] = network.inputShape as [number, number];
  const input = tf.tensor4d(images, [labels.length, height, width, 3]);
  const target = tf.tensor2d(oneHotLabels({ labels, classes }), [labels.length, classes.length]);
  const { value, grads } = tf.valueAndGrads(() => {
    const logits = applyNetwork(network, weights, input, { training: false });
    return tf.losses.softmaxCrossEntropy(target, logits).asScalar();
  })(trainableSpecs(network).map(({ name }) => weights.get(name)!));
  tf.dispose([input, target]);
  applyAdam(state, grads, ADAM);
  return value as tf.Scalar;
}

/** What a classifier makes of images, on whatever engine is current. */
export async function classify(
  { weights, classes }: Pick<Classifier, 'weights' | 'classes'>,
  { count, imageSize, images }: ImageSet,
): Promise<Classified> {
  const network = classifierNetwork(imageSize, classes.length);
  const state = createNetworkState(network, ({ name }) => weights.get(name)!);
  const upToHidden = { ...network, layers: network.layers.slice(0, -1) };
  const head = { ...network, layers: network.layers.slice(-1) };
  const pixels = imageSize * imageSize * 3;
  const features = new Float32Array(count * HIDDEN);
  const labels = new Uint16Array(count);
  try {
    for (let start = 0; start < count; start += BATCH) {
      const size = Math.min(BATCH, count - start);
      const levels = images.subarray(start * pixels, (start + size) * pixels);
      const [hidden, best] = tf.tidy(() => {
        const input = tf.tensor4d(
          Float32Array.from(levels, (level) => level / 127.5 - 1),
          [size, imageSize, imageSize, 3],
        );
        const hidden = applyNetwork(upToHidden, state.weights, input, { training: false });
        const logits = applyNetwork(head, state.weights, hidden, { training: false });
        return [hidden, tf.argMax(logits, 1)] as [tf.Tensor, tf.Tensor];
      });
      features.set(await hidden.data<'float32'>(), start * HIDDEN);
      labels.set(await best.data<'int32'>(), start);
      tf.dispose([hidden, best]);
    }
  } finally {
    disposeNetwork(state);
  }
  return { features: { count, size: HIDDEN, values: features }, labels };
}

const recordSchema = z.strictObject({ heldOutAccuracy: z.number() });

async function writeClassifier(
  folder: string,
  { heldOutAccuracy, weights }: Omit<Classifier, 'classes'>,
): Promise<void> {
  const bytes = Buffer.concat(
    [...weights.values()].map((w) => new Uint8Array(w.buffer, w.byteOffset, w.byteLength)),
  );
  const record = Buffer.from(`${JSON.stringify({ heldOutAccuracy })}\n`);
  await mkdir(dirname(folder), { recursive: true });
  await writeFolderWhole(
    folder,
    new Map([
      ['classifier.json', record],
      ['weights.bin', bytes],
    ]),
  );
}

/** @returns undefined when there is none, or it is not whole. */
async function readClassifier(
  folder: string,
  network: Network,
): Promise<Omit<Classifier, 'classes'> | undefined> {
  try {
    const record = recordSchema.parse(
      JSON.parse(await readFile(join(folder, 'classifier.json'), 'utf8')),
    );
    const bytes = new Uint8Array(await readFile(join(folder, 'weights.bin')));
    const weights = new Map<string, Float32Array>();
    let offset = 0;
    for (const { name, shape } of network.weights) {
      const size = product(shape);
      weights.set(name, new Float32Array(bytes.buffer, offset, size));
      offset += 4 * size;
    }
    return offset === bytes.length ? { ...record, weights } : undefined;
  } catch {
    return undefined;
  }
}
