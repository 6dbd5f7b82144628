/**
 * What the trainer knows of the thing that computes: one tfjs backend, started and made current.
 *
 * @module
 */

export type EngineName = 'tensorflow' | 'webgpu' | 'wasm';

export interface Engine {
  name: EngineName;
  /** For people: `CPU, 2 threads, TensorFlow 2.21.0` or `NVIDIA H100 80GB HBM3, TensorFlow 2.21.0`. */
  device: string;
  gpu: boolean;
}
