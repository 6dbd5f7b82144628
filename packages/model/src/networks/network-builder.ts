/**
 * Networks read from files of other programs: layer by layer, with their weights.
 *
 * @module
 */
import { UserError } from '../user-error.ts';
import { type Layer, outputShape, product } from './layers.ts';
import { functional, type LayerNode, NETWORK_INPUT, type Network } from './network.ts';

/** What a layer gives: its place among the layers, and its shape without the batch axis. */
export interface Output {
  at: number;
  shape: readonly number[];
}

/** Weights of a layer by their names inside it; one that is missing is the number that changes nothing. */
export type LayerValues = Readonly<Record<string, Float32Array | undefined>>;

interface BuiltLayer extends LayerNode {
  values: LayerValues;
  shape: readonly number[];
}

/** Takes layers one after the other, each behind those that feed it. */
export class NetworkBuilder {
  private readonly layers: BuiltLayer[] = [];
  readonly input: Output;

  /** @param latentSize numbers of the flat input */
  constructor(latentSize: number) {
    this.input = { at: NETWORK_INPUT, shape: [latentSize] };
  }

  /** @throws Error when the layer cannot take its inputs. */
  add(layer: Layer, inputs: Output | readonly Output[], values: LayerValues = {}): Output {
    const from = 'shape' in inputs ? [inputs] : inputs;
    const [first, ...others] = from;
    if (!first) throw new Error(`layer ${layer.type} has no input`);
    const shape = outputShape(layer, first.shape, ...others.map((other) => other.shape));
    this.layers.push({ layer, inputs: from.map(({ at }) => at), values, shape });
    return { at: this.layers.length - 1, shape };
  }

  /** The same numbers in another shape; of several reshapes in a row only the last one is kept. */
  reshape(input: Output, shape: readonly number[]): Output {
    if (shape.join() === input.shape.join()) return input;
    const before = this.layers[input.at];
    if (before?.layer.type !== 'reshape') return this.add({ type: 'reshape', shape }, input);
    const [at] = before.inputs as [number];
    return this.reshape({ at, shape: this.layers[at]?.shape ?? this.input.shape }, shape);
  }

  /** The layer that gives an output, and what feeds it; undefined for the network's input. */
  madeBy({ at }: Output): { layer: Layer; input: Output } | undefined {
    const built = this.layers[at];
    if (!built) return undefined;
    const [from] = built.inputs as [number];
    return { layer: built.layer, input: { at: from, shape: this.layers[from]?.shape ?? [] } };
  }

  /**
   * What leads to an output.
   * @param file what the file is called in messages
   * @throws UserError when weights are not finite.
   */
  finish(output: Output, file: string): { network: Network; weights: Map<string, Float32Array> } {
    const reached = this.reachedFrom(output.at);
    const kept = this.layers.flatMap((built, at) => (reached.has(at) ? [{ built, at }] : []));
    const places = new Map(kept.map(({ at }, place) => [at, place]));
    const network = functional(
      'generator',
      this.input.shape,
      kept.map(({ built: { layer, inputs } }) => ({
        layer,
        inputs: inputs.map((at) => places.get(at) ?? NETWORK_INPUT),
      })),
    );
    const weights = new Map<string, Float32Array>();
    network.layers.forEach((placed, place) => {
      const { values } = kept[place]!.built;
      for (const { name, shape, initializer } of placed.weights) {
        const given = values[name.slice(placed.name.length + 1)];
        const neutral = initializer === 'ones' ? 1 : 0;
        const numbers = given ?? new Float32Array(product(shape)).fill(neutral);
        if (numbers.length !== product(shape)) {
          throw new UserError(`${file}: ${name} has ${numbers.length} numbers, not [${shape}]`);
        }
        if (!numbers.every(Number.isFinite)) {
          throw new UserError(`${file}: the weight ${name} has numbers that are not finite`);
        }
        weights.set(name, numbers);
      }
    });
    return { network, weights };
  }

  private reachedFrom(output: number): Set<number> {
    const reached = new Set<number>();
    const open = [output];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (at === NETWORK_INPUT || reached.has(at)) continue;
      reached.add(at);
      open.push(...this.layers[at]!.inputs);
    }
    return reached;
  }
}
