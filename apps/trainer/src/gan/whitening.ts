/**
 * Gives the latents of real images the mean and covariance of the random latents that are served.
 *
 * The components of an encoder's latents are correlated: the latents of real images lie in a flat part of the
 * cube, and random latents lie beside it, where G generates blends of backgrounds and faces. Whitening changes
 * G's first layer and the encoder so that the reconstructions stay the same, but the images' latents have
 * mean 0 and the covariance of the uniform distribution. This is ex-post density estimation (Ghosh et al.
 * 2020, arXiv:1903.12436) with one normal distribution; the weights absorb it, so nothing else has to know
 * of it. Of all whitening transforms this one moves latents least (Kessy et al. 2018, arXiv:1512.00809, "ZCA").
 *
 * @module
 */
import type { Dataset } from '@killme/data';
import { WHITENING } from '@killme/model';
import type { Methods } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { EigenvalueDecomposition, inverse, Matrix } from 'ml-matrix';
import type { Gan } from './gan.ts';
import { cellsAt } from './mapping-network.ts';
import type { NetworkState } from './network-state.ts';
import { noiseCovariance, type RealLatents, sampleRealLatents } from './real-latents.ts';
import { hasSharedStart, SHARED_START, updateSharedStart } from './shared-start.ts';

/** Iterations from one whitening to the next; the last is at the end of the warm-up. */
const EVERY = 250;

/** Variance of each component of uniform(-1, 1). */
const UNIFORM_VARIANCE = 1 / 3;

/** The least variance of a direction, as a fraction of that: of one in which the latents do not differ. */
const LEAST_FRACTION = 1e-4;

/** Whether latents are whitened when so many iterations are done. */
export function whitensAfter(
  done: number,
  { latentWhitening, warmUp }: Pick<Methods, 'latentWhitening' | 'warmUp'>,
): boolean {
  return latentWhitening && done <= warmUp && (done % EVERY === 0 || done === warmUp);
}

/**
 * Whitens the latents of a dataset's images. The images that G and its EMA generate from an image's latents
 * stay the same except for rounding; Adam's moments follow.
 *
 * In a class-conditional GAN the latents of each class have mean 0 afterwards, and the covariance is that
 * within classes: the class is known from the condition alone.
 *
 * @param options.key names the random numbers; equal keys whiten alike.
 * @param options.ordered turns the latents besides, so that the first components say the most of an image and
 * the last ones the least: in these the latents of one image differ nearly as much as those of all.
 */
export async function whitenLatents(
  { generator, ema }: Gan,
  encoder: NetworkState,
  { dataset, key, ordered = false }: { dataset: Dataset; key: string; ordered?: boolean },
): Promise<void> {
  const before = {
    means: await readMatrix(encoder.weights.get(WHITENING.mean)!),
    kernel: await readMatrix(encoder.weights.get(WHITENING.kernel)!),
  };
  const latents = await sampleRealLatents(encoder, dataset, `${key}/whitening noise`);
  const { means, spread: symmetric } = measureLatents(latents, before.means.rows);
  const spread = ordered ? order(latents, symmetric) : symmetric;
  setWeight(encoder.weights, WHITENING.mean, tf.tensor2d(means.to2DArray()));
  setWeight(encoder.weights, WHITENING.kernel, tf.tensor2d(inverse(spread).to2DArray()));
  // A latent z that G took is z' · turn + the shift of its class now.
  const turn = spread.mmul(before.kernel);
  const shifts = Matrix.sub(means, before.means).mmul(before.kernel);
  const { network } = generator;
  const dense = network.layers[cellsAt(network)]!.name;
  // Where cells share the kernel, it is their factor of it that reads the latent.
  const kernel = hasSharedStart(network) ? SHARED_START.kernel : `${dense}/kernel`;
  for (const weights of [generator.weights, ema]) {
    if (!weights) continue;
    turnLayer(weights, { kernel, bias: `${dense}/bias` }, { turn, shifts });
    updateSharedStart({ network, weights });
  }
  turnMoments(generator, kernel, turn);
}

/**
 * Where latents lie: those of uniform(-1, 1) times `spread`, which is symmetric, plus the mean of a class
 * have the mean of the class's latents, and within classes their covariance.
 * @param classes of a class-conditional GAN; with 1 labels do not count.
 */
function measureLatents(
  { latents, labels }: RealLatents,
  classes: number,
): { means: Matrix; spread: Matrix } {
  const members = Array.from({ length: classes }, (_, label) =>
    labels.flatMap((other, row) => (classes === 1 || other === label ? [row] : [])),
  );
  const means = new Matrix(
    members.map((rows) => latents.selection(rows, allColumns(latents)).mean('column')),
  );
  const centred = latents.clone();
  for (const [label, rows] of members.entries()) {
    for (const row of rows) {
      centred.setRow(row, Matrix.sub(latents.getRowVector(row), means.getRowVector(label)));
    }
  }
  const covariance = centred
    .transpose()
    .mmul(centred)
    .div(latents.rows * UNIFORM_VARIANCE);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, {
    assumeSymmetric: true,
  });
  const roots = realEigenvalues.map((value) => Math.sqrt(Math.max(value, LEAST_FRACTION)));
  const spread = eigenvectorMatrix.mmul(Matrix.diag(roots)).mmul(eigenvectorMatrix.transpose());
  return { means, spread };
}

/**
 * A spread from which whitened latents come out in the order of what they say: turned to the eigenvectors of
 * the noise, which is how much the latents of one image differ, the least first.
 */
function order(latents: RealLatents, spread: Matrix): Matrix {
  const back = inverse(spread);
  const noise = back.transpose().mmul(noiseCovariance(latents)).mmul(back);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(noise, {
    assumeSymmetric: true,
  });
  const columns = realEigenvalues.map((_, i) => i);
  columns.sort((a, b) => realEigenvalues[a]! - realEigenvalues[b]!);
  const turn = eigenvectorMatrix.selection(allRows(eigenvectorMatrix), columns);
  return turn.transpose().mmul(spread);
}

const allRows = ({ rows }: Matrix) => Array.from({ length: rows }, (_, i) => i);

const allColumns = ({ columns }: Matrix) => Array.from({ length: columns }, (_, i) => i);

/**
 * Makes a dense layer give for z' what it has given for z' · turn + shift. The last components of a latent
 * are its class, 1 at its place and −1 at the others: half of each class's shift at its place, and half
 * of all in the bias, make the shift of the latent's class. (Of a kernel that cells share, the bias of each
 * cell gets the shift as the basis has it there.)
 */
function turnLayer(
  weights: Map<string, tf.Tensor>,
  names: { kernel: string; bias: string },
  { turn, shifts }: { turn: Matrix; shifts: Matrix },
): void {
  const kernel = weights.get(names.kernel) as tf.Tensor2D;
  const bias = weights.get(names.bias) as tf.Tensor1D;
  const basis = weights.get(SHARED_START.basis);
  const turned = tf.tidy(() => {
    const [own, condition] = cutRows(kernel, turn.rows);
    const shift = tf.matMul(toTensor(shifts), own);
    const rest = tf.mul(condition.size > 0 ? 0.5 : 1, shift);
    const moved = tf.sum(rest, 0);
    return {
      bias: tf.add(bias, basis ? tf.reshape(tf.mul(moved, basis), bias.shape) : moved),
      kernel: withRows(
        tf.matMul(toTensor(turn), own),
        condition.size > 0 ? tf.add(condition, rest) : condition,
      ),
    };
  });
  setWeight(weights, names.bias, turned.bias);
  setWeight(weights, names.kernel, turned.kernel);
}

/**
 * A gradient by the kernel before is turned as latents are by now; its square, of which Adam knows no
 * more than the diagonal, as if components had not gone together.
 */
function turnMoments({ moments }: NetworkState, name: string, turn: Matrix): void {
  const { first, second } = moments.get(name)!;
  const back = inverse(turn).transpose();
  moments.set(name, {
    first: turnRows(first as tf.Tensor2D, back),
    second: turnRows(second as tf.Tensor2D, Matrix.mul(back, back)),
  });
  tf.dispose([first, second]);
}

/** The first rows of a matrix multiplied from the left; those beyond stay. */
function turnRows(matrix: tf.Tensor2D, turn: Matrix): tf.Tensor2D {
  return tf.tidy(() => {
    const [own, rest] = cutRows(matrix, turn.rows);
    return withRows(tf.matMul(toTensor(turn), own), rest);
  });
}

/** The first `count` rows of a matrix, and those beyond, of which there may be none. */
function cutRows(matrix: tf.Tensor2D, count: number): [tf.Tensor2D, tf.Tensor2D] {
  const [rows, columns] = matrix.shape;
  return [
    tf.slice2d(matrix, [0, 0], [count, columns]),
    tf.slice2d(matrix, [count, 0], [rows - count, columns]),
  ];
}

const withRows = (first: tf.Tensor2D, more: tf.Tensor2D): tf.Tensor2D =>
  more.size > 0 ? tf.concat2d([first, more], 0) : first;

const toTensor = (matrix: Matrix) => tf.tensor2d(matrix.to2DArray());

async function readMatrix(tensor: tf.Tensor): Promise<Matrix> {
  return new Matrix(await (tensor as tf.Tensor2D).array());
}

function setWeight(weights: Map<string, tf.Tensor>, name: string, value: tf.Tensor): void {
  weights.get(name)?.dispose();
  weights.set(name, value);
}
