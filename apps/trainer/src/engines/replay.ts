/**
 * Steps that an engine records once and replays: a training step does the same work in every iteration,
 * with other numbers in its {@link feed}s.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';

/** A tensor that a step reads and replaces, such as a weight. */
export interface StateSlot {
  read(): tf.Tensor;
  write(tensor: tf.Tensor): void;
}

/** A step that can be recorded. */
export interface Step {
  /** All that it reads and changes, in the same order every time. */
  state: readonly StateSlot[];
  /** Restores what the host counts in the step (such as Adam's steps) to what it was. */
  keepCounts(): () => void;
  /** Takes the step. @returns its numbers, named; the caller disposes of the tensor. */
  run(): { names: readonly string[]; values: tf.Tensor1D };
}

/** A step that has been given to the engine. */
export interface TakenStep {
  names: readonly string[];
  /** Its numbers, once the device has them. */
  read(): Promise<Float32Array>;
}

export interface Replay {
  /**
   * Takes a step: as it is the first time, later by its recording.
   * @param kind steps of one kind do the same work.
   */
  take(kind: string, step: Step): TakenStep;
  /**
   * Steps to take before the numbers of the first are read, so that the device never waits for the host. It
   * changes as it becomes known how long a step takes.
   */
  readonly lag: number;
  /** Frees the recordings. */
  dispose(): void;
}

type Log = (line: string) => void;

const factories = new Map<string, (log: Log) => Replay>();

/** Lets steps on a tfjs backend be replayed. */
export function registerReplay(backendName: string, create: (log: Log) => Replay): void {
  factories.set(backendName, create);
}

/**
 * A replay on the current backend, where it has one; elsewhere steps are taken as they are.
 * @param log gets a line for each kind of step that is recorded.
 */
export function createReplay({
  record = true,
  log = () => {},
}: {
  record?: boolean;
  log?: Log;
} = {}): Replay {
  const create = record ? factories.get(tf.getBackend()) : undefined;
  return create?.(log) ?? { take: (_, step) => takeStep(step), lag: 1, dispose: () => {} };
}

/** Takes a step as it is. */
export function takeStep(step: Step): TakenStep {
  const { names, values } = step.run();
  return {
    names,
    async read() {
      const numbers = await values.data<'float32'>();
      values.dispose();
      return numbers;
    },
  };
}
