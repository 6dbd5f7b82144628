/**
 * A dataset's images in the memory of the device, from which a step gathers its batch: the host then sends
 * the indices of images and not their pixels.
 *
 * @module
 */
import { type Dataset, takeBatch } from '@killme/data';
import * as tf from '@tensorflow/tfjs-core';
import type { StateSlot } from './replay.ts';

export interface ResidentImages {
  /** @param indices int32 `[n]` @returns `[n, side, side, 3]` in [-1, 1]; the caller disposes of it. */
  gather(indices: tf.Tensor1D): tf.Tensor4D;
  /** What a recorded step reads of them. */
  slots: readonly StateSlot[];
  dispose(): void;
}

const mostBytes = new Map<string, number>();

/** Says that a tfjs backend has the kernel `GatherImages`, and how many bytes of images it takes. */
export function offerResidentImages(backendName: string, most: number): void {
  mostBytes.set(backendName, most);
}

/** Places the images, one byte for each number; undefined where the current engine does not take them. */
export function placeImages(dataset: Dataset): ResidentImages | undefined {
  const { imageSize: side, images } = dataset;
  if (images.length > (mostBytes.get(tf.getBackend()) ?? -1)) return undefined;
  const padded = new Uint8Array(4 * Math.ceil(images.length / 4));
  padded.set(images);
  const tensors = {
    bytes: tf.keep(tf.tensor1d(new Int32Array(padded.buffer), 'int32')),
    levels: tf.keep(tf.tensor1d(levels())),
  };
  const shape = [side, side, images.length / dataset.count / side ** 2];
  const slots = (['bytes', 'levels'] as const).map((name) => ({
    read: () => tensors[name],
    write: (tensor: tf.Tensor) => {
      tensors[name] = tensor as tf.Tensor1D;
    },
  }));
  return {
    slots,
    gather(indices) {
      const attrs = { shape: [indices.size, ...shape] };
      const inputs = { ...tensors, indices };
      return tf.engine().runKernel('GatherImages', inputs, attrs) as tf.Tensor4D;
    },
    dispose: () => tf.dispose(tensors),
  };
}

/** The numbers of the 256 bytes, as {@link takeBatch} scales them. */
function levels(): Float32Array {
  const images = Uint8Array.from({ length: 256 * 3 }, (_, i) => i / 3);
  const pixels = { imageSize: 1, count: 256, images, labels: new Uint16Array(256) };
  const every = Array.from({ length: 256 }, (_, i) => i);
  return takeBatch(pixels as unknown as Dataset, every).images.filter((_, i) => i % 3 === 0);
}
