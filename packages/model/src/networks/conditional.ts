/**
 * Generators of several inputs as ours of one: a latent whose last components say the class.
 *
 * @module
 */
import type { NetworkBuilder, Output } from './network-builder.ts';

/** An input of an imported generator. */
export type GeneratorInput =
  | { kind: 'latent'; shape: readonly number[] }
  /** The number of a class, from 0; `classes` of them. */
  | { kind: 'index'; shape: readonly number[]; classes: number }
  /** 1 at the place of the class, else 0. */
  | { kind: 'oneHot'; shape: readonly number[]; classes: number };

/** How many numbers of our latent an input takes. */
export const inputSize = (input: GeneratorInput): number =>
  input.kind === 'latent' ? input.shape.reduce((a, b) => a * b, 1) : input.classes;

/**
 * The inputs as parts of the latent: those of latents first, then the class, one component for each:
 * 1 at its place, −1 at the others, which becomes 1 and 0.
 * @returns for each input what stands for it; of an `index` that is the class as `[classes]`.
 */
export function splitLatent(builder: NetworkBuilder, inputs: readonly GeneratorInput[]): Output[] {
  if (inputs.length === 1 && inputs[0]!.kind === 'latent') {
    return [builder.reshape(builder.input, inputs[0]!.shape)];
  }
  const starts = new Map<GeneratorInput, number>();
  let start = 0;
  for (const input of inputs.toSorted((a, b) => order(a) - order(b))) {
    starts.set(input, start);
    start += inputSize(input);
  }
  return inputs.map((input) => {
    const size = inputSize(input);
    const part = builder.add({ type: 'slice', start: starts.get(input)!, size }, builder.input);
    if (input.kind === 'latent') return builder.reshape(part, input.shape);
    return builder.add({ type: 'rescaling', scale: 0.5, offset: 0.5 }, part);
  });
}

const order = ({ kind }: GeneratorInput) => (kind === 'latent' ? 0 : 1);
