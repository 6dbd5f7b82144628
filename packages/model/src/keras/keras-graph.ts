/**
 * Keras model configurations as graphs of layers.
 *
 * @module
 */
import { z } from 'zod';
import { UserError } from '../user-error.ts';
import { callOf, refsOf, type TensorRef } from './tensor-refs.ts';

/** A layer as Keras describes it, with containers (`Model` around `Sequential`) taken apart. */
export interface KerasLayer {
  className: string;
  name: string;
  config: Readonly<Record<string, unknown>>;
  /** Where Keras 3 keeps its variables: `layers/sequential/layers/dense`. */
  path: string;
  /** Index of the outermost layer it lies in; Keras 2 keeps weights by those. */
  outermost: number;
}

/** A layer at work: what feeds it, as places among the nodes; inputs of the model have no layer. */
export interface KerasNode {
  name: string;
  layer: KerasLayer | undefined;
  inputs: readonly number[];
}

export interface KerasInput {
  name: string;
  node: number;
  /** Without the batch axis. */
  shape: readonly number[];
  /** As it is stored: `float32`, `int32`. */
  dtype: string;
}

export interface KerasGraph {
  /** All of the file, also those that no output needs: weights are stored by their order. */
  layers: readonly KerasLayer[];
  nodes: readonly KerasNode[];
  inputs: readonly KerasInput[];
  outputs: readonly { name: string; node: number }[];
  /** Containers that the model is made of, by name: those of a whole GAN are G and D. */
  parts: readonly string[];
}

const shapeSchema = z.array(z.number().int().positive().nullable());

const layerSchema = z.looseObject({
  class_name: z.string(),
  config: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]),
  name: z.string().optional(),
  inbound_nodes: z.array(z.unknown()).optional(),
});
type LayerObject = z.infer<typeof layerSchema>;

const containerSchema = z.looseObject({
  name: z.string().optional(),
  layers: z.array(layerSchema),
  build_input_shape: shapeSchema.nullish(),
  input_layers: z.unknown().optional(),
  output_layers: z.unknown().optional(),
});

const CONTAINERS = new Set(['Sequential', 'Model', 'Functional']);

interface Entry {
  name: string;
  /** Undefined for inputs and containers. */
  layer: KerasLayer | undefined;
  container: Container | undefined;
  /** What each call is fed with. */
  calls: readonly (readonly TensorRef[])[];
}

interface Container {
  entries: ReadonlyMap<string, Entry>;
  inputs: readonly { name: string; shape: readonly (number | null)[] | undefined; dtype: string }[];
  outputs: readonly TensorRef[];
}

/**
 * @param config the object in `model_config` or `config.json`
 * @param options.file what the file is called in messages
 * @param options.part a container of the model that is read in its place; `generator` is the first one.
 * @throws UserError when it is no model, or is not as Keras writes it.
 */
export function parseGraph(
  config: unknown,
  { file, part }: { file: string; part?: string | undefined },
): KerasGraph {
  const model = layerSchema.safeParse(config);
  if (!model.success || !CONTAINERS.has(model.data.class_name)) {
    throw new UserError(`${file} describes no Keras Model or Sequential`);
  }
  const reader = new ConfigReader(file);
  const whole = reader.read(model.data, { path: '' });
  const parts = [...whole.entries.values()].filter(({ container }) => container);
  const names = parts.map(({ name }) => name);
  const chosen =
    part === undefined
      ? whole
      : (parts.find(({ name }) => name === part) ?? (part === 'generator' ? parts[0] : undefined))
          ?.container;
  if (!chosen) {
    const known = names.length > 0 ? `its parts are ${names.join(', ')}` : 'it is in one piece';
    throw new UserError(`--part: ${file} has no part "${part}": ${known}`);
  }
  const nodes = new NodeMaker(file);
  const inputs = chosen.inputs.map(({ name, shape, dtype }): KerasInput => {
    const sizes = (shape ?? reader.firstShape ?? []).slice(1);
    if (shape === undefined && !reader.firstShape) {
      throw new UserError(`${file} does not say what shape its input has`);
    }
    if (!sizes.every((length): length is number => length !== null)) {
      throw new UserError(`${file} has an input of open size [${sizes.join(', ')}]`);
    }
    return { name, dtype, shape: sizes, node: nodes.input(name) };
  });
  const made = nodes.run(
    chosen,
    inputs.map(({ node }) => node),
  );
  const outputs = made.map((node) => ({ name: nodes.nodes[node]!.name, node }));
  return { layers: reader.layers, nodes: nodes.nodes, inputs, outputs, parts: names };
}

/** Reads containers, and collects the layers in them. */
class ConfigReader {
  readonly layers: KerasLayer[] = [];
  /** Of the first layer that says one, for a Sequential whose input does not. */
  firstShape: readonly (number | null)[] | undefined;
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  read(model: LayerObject, place: { path: string; outermost?: number }): Container {
    const parsed = this.parse(model);
    const seen = new Map<string, number>();
    const inputs: Container['inputs'][number][] = [];
    const entries = parsed.layers.map((object, index): Entry => {
      const config = Array.isArray(object.config) ? {} : object.config;
      const given = object.name ?? config.name;
      const name = typeof given === 'string' ? given : `${object.class_name}_${index}`;
      const shape = shapeOf(config);
      this.firstShape ??= shape;
      const calls = (object.inbound_nodes ?? []).map(callOf);
      if (object.class_name === 'InputLayer') {
        const dtype = typeof config.dtype === 'string' ? config.dtype : 'float32';
        inputs.push({ name, shape, dtype });
        return { name, layer: undefined, container: undefined, calls: [] };
      }
      const kind = toSnakeCase(object.class_name);
      const count = seen.get(kind) ?? 0;
      seen.set(kind, count + 1);
      const path = `${place.path}layers/${count === 0 ? kind : `${kind}_${count}`}`;
      const outermost = place.outermost ?? index;
      if (CONTAINERS.has(object.class_name)) {
        const container = this.read(object, { path: `${path}/`, outermost });
        return { name, layer: undefined, container, calls };
      }
      const layer = { className: object.class_name, name, config, path, outermost };
      this.layers.push(layer);
      return { name, layer, container: undefined, calls };
    });
    if (parsed.build_input_shape) this.firstShape ??= parsed.build_input_shape;
    return model.class_name === 'Sequential'
      ? chain(entries, inputs[0], this.firstShape)
      : {
          entries: new Map(entries.map((entry) => [entry.name, entry])),
          inputs: this.inOrder(inputs, refsOf(parsed.input_layers)),
          outputs: refsOf(parsed.output_layers),
        };
  }

  private inOrder(inputs: Container['inputs'], order: readonly TensorRef[]): Container['inputs'] {
    return order.map(({ layer }) => {
      const input = inputs.find(({ name }) => name === layer);
      if (input) return input;
      throw new UserError(`${this.file}: the input ${layer} of its model is missing`);
    });
  }

  private parse(model: LayerObject) {
    // Before Keras 2.2.3 a Sequential's configuration was the list of its layers.
    const config = Array.isArray(model.config) ? { layers: model.config } : model.config;
    const container = containerSchema.safeParse(config);
    if (container.success) return container.data;
    const issue = container.error.issues[0]!;
    throw new UserError(
      `${this.file}: the ${model.class_name} is not as Keras writes it: ${issue.path.join('.')}: ${issue.message}`,
    );
  }
}

/** A Sequential: each layer is fed by the one before it. */
function chain(
  entries: readonly Entry[],
  input: Container['inputs'][number] | undefined,
  shape: readonly (number | null)[] | undefined,
): Container {
  const layers = entries.filter(({ layer, container }) => layer || container);
  const start = input ?? { name: 'input', shape, dtype: 'float32' };
  let before: TensorRef = { layer: start.name, call: 0, tensor: 0 };
  const chained = layers.map((entry): Entry => {
    const calls = [[before]];
    before = { layer: entry.name, call: 0, tensor: 0 };
    return { ...entry, calls };
  });
  return {
    entries: new Map(chained.map((entry) => [entry.name, entry])),
    inputs: [start],
    outputs: [before],
  };
}

/** Runs containers on nodes: each call of a layer becomes a node. */
class NodeMaker {
  readonly nodes: KerasNode[] = [];
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  input(name: string): number {
    return this.nodes.push({ name, layer: undefined, inputs: [] }) - 1;
  }

  /** @returns the nodes of the container's outputs. */
  run({ entries, inputs, outputs }: Container, given: readonly number[]): number[] {
    const known = new Map<string, readonly number[]>();
    inputs.forEach(({ name }, i) => {
      known.set(`${name}/0`, [given[i]!]);
    });
    const resolve = ({ layer: name, call, tensor }: TensorRef): number => {
      const entry = entries.get(name);
      const index = entry ? callIndex(entry, call) : 0;
      const key = `${name}/${index}`;
      const done = known.get(key);
      if (done) return done[Math.min(tensor, done.length - 1)]!;
      const call_ = entry?.calls[index];
      if (!entry || !call_)
        throw new UserError(`${this.file}: ${name} feeds a layer, but is missing`);
      const sources = call_.map(resolve);
      const made = entry.container
        ? this.run(entry.container, sources)
        : [this.nodes.push({ name, layer: entry.layer, inputs: sources }) - 1];
      known.set(key, made);
      return made[Math.min(tensor, made.length - 1)]!;
    };
    return outputs.map(resolve);
  }
}

/** Keras counts the call by which a container was built itself, and lists only the later ones. */
function callIndex({ container, calls }: Entry, call: number): number {
  if (container && call > 0 && call >= calls.length) return call - 1;
  return Math.min(call, Math.max(0, calls.length - 1));
}

function shapeOf(config: Readonly<Record<string, unknown>>) {
  const shape = shapeSchema.safeParse(config.batch_shape ?? config.batch_input_shape);
  return shape.success ? shape.data : undefined;
}

/** The names that Keras 3 makes of classes: `Conv2DTranspose` → `conv2d_transpose`. */
function toSnakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
