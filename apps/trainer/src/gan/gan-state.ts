/**
 * The tensors that a training step changes, one by one.
 *
 * @module
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { StateSlot } from '../engines/replay.ts';
import type { Gan } from './gan.ts';
import type { NetworkState } from './network-state.ts';

/** The networks that a step trains, in an order that stays the same. */
export const networksOf = ({ generator, discriminator, encoder }: Gan): NetworkState[] =>
  encoder ? [generator, discriminator, encoder] : [generator, discriminator];

/** All weights, moments and the EMA, in an order that stays the same. */
export function stateSlots(gan: Gan): StateSlot[] {
  return [...networksOf(gan).flatMap(networkSlots), ...(gan.ema ? entriesOf(gan.ema) : [])];
}

/** The weights and moments of one network. */
export const networkSlots = (state: NetworkState): StateSlot[] => [
  ...entriesOf(state.weights),
  ...momentsOf(state),
];

/** @returns what sets the number of Adam's steps of each network back to what it is now. */
export function keepStepCounts(networks: readonly NetworkState[]): () => void {
  const counts = networks.map(({ steps }) => steps);
  return () => {
    for (const [i, state] of networks.entries()) state.steps = counts[i]!;
  };
}

function entriesOf(tensors: Map<string, tf.Tensor>): StateSlot[] {
  return [...tensors.keys()].map((name) => ({
    read: () => tensors.get(name)!,
    write: (tensor) => tensors.set(name, tensor),
  }));
}

function momentsOf({ moments }: NetworkState): StateSlot[] {
  return [...moments.keys()].flatMap((name) =>
    (['first', 'second'] as const).map((order) => ({
      read: () => moments.get(name)![order],
      write: (tensor: tf.Tensor) => moments.set(name, { ...moments.get(name)!, [order]: tensor }),
    })),
  );
}
