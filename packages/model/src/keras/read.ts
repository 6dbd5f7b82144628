/**
 * Generators that Keras has trained.
 *
 * @module
 */

import { type GeneratorInput, inputSize, splitLatent } from '../networks/conditional.ts';
import { finishGenerator, type ImportedGenerator } from '../networks/imported.ts';
import { product } from '../networks/layers.ts';
import type { Network } from '../networks/network.ts';
import { NetworkBuilder, type Output } from '../networks/network-builder.ts';
import { UserError } from '../user-error.ts';
import { UnknownKind } from './activations.ts';
import type { KerasFile, ReadBeside } from './keras-file.ts';
import { type KerasGraph, type KerasInput, type KerasLayer, parseGraph } from './keras-graph.ts';
import type { Dialect, Variable } from './layers/reading.ts';
import { openKerasFile } from './open.ts';
import { readLayer, variablesOf } from './read-layer.ts';
import type { Owner, StoredWeights } from './stored-weights.ts';
import { sequentialConfig } from './write-config.ts';

export interface KerasOptions {
  /** What the file is called in messages. */
  file: string;
  /** For the weights of tfjs models, which lie in files beside `model.json`. */
  readBeside?: ReadBeside | undefined;
  /** What a file of weights alone is of: a network of ours, or what Keras's `to_json` wrote. */
  architecture?: Network | undefined;
  config?: unknown;
  /** The output to take, where there are several. */
  output?: string | undefined;
  /** The part of a whole GAN to take. */
  part?: string | undefined;
}

/**
 * Reads a generator: a whole-model `.h5` of Keras 1 to 3, a `.keras` archive, the `model.json` of a
 * tfjs layers model, or, with an architecture given, a file of weights alone.
 * @throws UserError in one line: what is wrong, and in which layers.
 */
export async function readKerasGenerator(
  bytes: Uint8Array,
  options: KerasOptions,
): Promise<ImportedGenerator> {
  const { file, architecture, output, part } = options;
  const opened = await openKerasFile(bytes, file, options.readBeside);
  const config =
    opened.config ?? options.config ?? (architecture && sequentialConfig(architecture, 'keras3'));
  if (config === undefined) {
    throw new UserError(
      `${file} holds weights alone: save the whole model, or name with --config what ` +
        'model.to_json() writes, or with --preset what they are of',
    );
  }
  const graph = parseGraph(config, { file, part });
  const inputs = generatorInputs(graph, file);
  const size = inputs.reduce((sum, input) => sum + inputSize(input), 0);
  const builder = new NetworkBuilder(size);
  const { dialect, framework } = opened;
  const outputs = new LayerRun({ graph, stored: storedWeights(opened, graph), file, dialect });
  const made = outputs.run(builder, splitLatent(builder, inputs));
  return finishGenerator(builder, {
    ...{ file, output, framework, inputs },
    outputs: made,
    parts: part === undefined ? graph.parts : [],
  });
}

/** What a Keras layer's variables are, and where they are kept. */
interface LayerOwner extends Owner {
  layer: KerasLayer;
  variables: readonly Variable[];
}

/** The weights of the file; what is wrong with them is reported once the layers are known to be right. */
function storedWeights(opened: KerasFile, { layers }: KerasGraph) {
  const owners = layers.map((layer): LayerOwner => ({ layer, variables: variablesOf(layer) }));
  const byLayer = new Map(owners.map((owner) => [owner.layer, owner]));
  let weights: StoredWeights | UserError;
  try {
    weights = opened.findWeights(owners);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    weights = error;
  }
  return { byLayer, weights };
}

/** Makes the layers of a graph, and says all that is not accepted in one line. */
class LayerRun {
  private readonly problems: string[] = [];
  private readonly graph: KerasGraph;
  private readonly stored: ReturnType<typeof storedWeights>;
  private readonly file: string;
  private readonly dialect: Dialect;

  constructor({
    graph,
    stored,
    file,
    dialect,
  }: {
    graph: KerasGraph;
    stored: ReturnType<typeof storedWeights>;
    file: string;
    dialect: Dialect;
  }) {
    this.graph = graph;
    this.stored = stored;
    this.file = file;
    this.dialect = dialect;
  }

  /** @returns the outputs of the graph. */
  run(builder: NetworkBuilder, given: readonly Output[]): { name: string; output: Output }[] {
    const { nodes, inputs } = this.graph;
    const made = new Map<number, Output>(inputs.map(({ node }, i) => [node, given[i]!]));
    nodes.forEach(({ layer, inputs: from }, node) => {
      if (!layer) return;
      const sources = from.map((at) => made.get(at)!);
      made.set(node, this.read(layer, builder, sources));
    });
    if (this.problems.length > 0) {
      throw new UserError(
        `${this.file} has layers that are not known here: ${this.problems.join('; ')}`,
      );
    }
    if (this.stored.weights instanceof UserError) throw this.stored.weights;
    return this.graph.outputs.map(({ name, node }) => ({ name, output: made.get(node)! }));
  }

  private read(layer: KerasLayer, builder: NetworkBuilder, inputs: readonly Output[]): Output {
    const take = (name: string, shape: readonly number[]) => this.take(layer, name, shape);
    try {
      return readLayer(layer, { builder, inputs, dialect: this.dialect, take });
    } catch (error) {
      if (error instanceof UserError) throw error;
      // Behind a layer that was refused shapes say nothing.
      if (this.problems.length === 0 || error instanceof UnknownKind) {
        this.problems.push(`${layer.name} (${layer.className}): ${(error as Error).message}`);
      }
      return inputs[0] ?? builder.input;
    }
  }

  private take(layer: KerasLayer, name: string, shape: readonly number[]): Float32Array {
    const { byLayer, weights } = this.stored;
    const owner = byLayer.get(layer)!;
    const index = owner.variables.findIndex((variable) => variable.name === name);
    const dataset = weights instanceof UserError ? undefined : weights.get(owner)?.[index];
    // Behind a layer that was refused the shapes are not the true ones.
    if (!dataset || this.problems.length > 0) return new Float32Array(product(shape));
    const { file } = this;
    if (dataset.shape.join() !== shape.join()) {
      throw new UserError(
        `${file}: the weight ${layer.name}/${name} has shape [${dataset.shape.join(', ')}], ` +
          `its layer takes [${shape.join(', ')}]`,
      );
    }
    if (!dataset.values.every(Number.isFinite)) {
      throw new UserError(
        `${file}: the weight ${layer.name}/${name} has numbers that are not finite`,
      );
    }
    return dataset.values;
  }
}

/** Which inputs are latents, and which says the class. */
function generatorInputs(graph: KerasGraph, file: string): GeneratorInput[] {
  const { inputs } = graph;
  for (const { shape } of inputs) {
    if (shape.length === 3 && product(shape) !== shape[2]) {
      throw new UserError(
        `${file} takes [${shape.join(', ')}], not a latent vector: is it a discriminator?`,
      );
    }
  }
  if (inputs.length === 1) return [{ kind: 'latent', shape: inputs[0]!.shape }];
  const label = inputs.find((input) => embeddingOf(graph, input)) ?? inputs.find(isNamedLabel);
  return inputs.map((input): GeneratorInput => {
    const { shape } = input;
    if (input !== label) return { kind: 'latent', shape };
    const classes = embeddingOf(graph, input);
    if (classes) return { kind: 'index', shape, classes };
    return { kind: 'oneHot', shape, classes: product(shape) };
  });
}

/** How many classes there are, where an Embedding reads an input. */
function embeddingOf({ nodes }: KerasGraph, { node }: KerasInput): number | undefined {
  const reader = nodes.find(
    ({ layer, inputs }) => layer?.className === 'Embedding' && inputs.includes(node),
  );
  const classes = reader?.layer?.config.input_dim;
  return typeof classes === 'number' ? classes : undefined;
}

const isNamedLabel = ({ name, dtype }: KerasInput) =>
  /label|class|cond|digit|categor/i.test(name) || dtype.startsWith('int');
