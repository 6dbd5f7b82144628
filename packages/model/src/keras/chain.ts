/**
 * Keras model configurations as chains of layers.
 *
 * @module
 */
import { z } from 'zod';
import { UserError } from '../user-error.ts';

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

export interface KerasChain {
  /** Without the batch axis. */
  inputShape: readonly number[];
  layers: readonly KerasLayer[];
}

const shapeSchema = z.array(z.number().int().positive().nullable());

const layerSchema = z.looseObject({
  class_name: z.string(),
  config: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]),
  inbound_nodes: z.array(z.unknown()).optional(),
});
type LayerObject = z.infer<typeof layerSchema>;

const containerSchema = z.looseObject({
  name: z.string().optional(),
  layers: z.array(layerSchema),
  build_input_shape: shapeSchema.nullish(),
});

const CONTAINERS = new Set(['Sequential', 'Model', 'Functional']);

/**
 * @param config the object in `model_config` or `config.json`
 * @param file what the file is called in messages.
 * @throws UserError when it is no model, or one whose layers are not a chain.
 */
export function parseChain(config: unknown, file: string): KerasChain {
  const model = layerSchema.safeParse(config);
  if (!model.success || !CONTAINERS.has(model.data.class_name)) {
    throw new UserError(`${file} describes no Keras Model or Sequential`);
  }
  const shapes: (readonly (number | null)[])[] = [];
  const layers = takeApart(model.data, { file, path: '', shapes });
  const [shape] = shapes;
  if (!shape) throw new UserError(`${file} does not say what shape its input has`);
  const inputShape = shape.slice(1);
  if (!inputShape.every((length): length is number => length !== null)) {
    throw new UserError(`${file} has an input of open size [${inputShape.join(', ')}]`);
  }
  return { inputShape, layers };
}

interface Place {
  file: string;
  path: string;
  outermost?: number;
  /** Filled with the input shapes that are said, outermost first. */
  shapes: (readonly (number | null)[])[];
}

function takeApart(model: LayerObject, { file, path, outermost, shapes }: Place): KerasLayer[] {
  const { layers, build_input_shape } = parseContainer(model, file);
  const seen = new Map<string, number>();
  let previous: string | undefined;
  const taken = layers.flatMap((layer, index): KerasLayer[] => {
    const config = Array.isArray(layer.config) ? {} : layer.config;
    const name = typeof config.name === 'string' ? config.name : layer.class_name;
    checkSource({ layer, name, previous, file });
    previous = name;
    noteShape(config, shapes);
    if (layer.class_name === 'InputLayer') return [];
    const kind = toSnakeCase(layer.class_name);
    const count = seen.get(kind) ?? 0;
    seen.set(kind, count + 1);
    const place = {
      path: `${path}layers/${count === 0 ? kind : `${kind}_${count}`}`,
      outermost: outermost ?? index,
    };
    if (!CONTAINERS.has(layer.class_name)) {
      return [{ className: layer.class_name, name, config, ...place }];
    }
    return takeApart(layer, { file, shapes, ...place, path: `${place.path}/` });
  });
  if (build_input_shape) shapes.push(build_input_shape);
  return taken;
}

function parseContainer(model: LayerObject, file: string) {
  // Before Keras 2.2.3 a Sequential's configuration was the list of its layers.
  const config = Array.isArray(model.config) ? { layers: model.config } : model.config;
  const container = containerSchema.safeParse(config);
  if (container.success) return container.data;
  const issue = container.error.issues[0]!;
  throw new UserError(
    `${file}: the ${model.class_name} is not as Keras writes it: ${issue.path.join('.')}: ${issue.message}`,
  );
}

function noteShape(config: Readonly<Record<string, unknown>>, shapes: Place['shapes']): void {
  const shape = shapeSchema.safeParse(config.batch_shape ?? config.batch_input_shape);
  if (shape.success) shapes.push(shape.data);
}

/** A layer of a Model says what feeds it; in a chain that is the layer before it. */
function checkSource({
  layer,
  name,
  previous,
  file,
}: {
  layer: LayerObject;
  name: string;
  previous: string | undefined;
  file: string;
}): void {
  if (layer.inbound_nodes === undefined) return; // inside a Sequential
  const sources = layer.inbound_nodes.flatMap(sourcesOf);
  const expected = layer.class_name === 'InputLayer' ? [] : [previous];
  if (sources.join() === expected.join()) return;
  const found = sources.length === 0 ? 'nothing' : sources.join(', ');
  throw new UserError(
    `${file} is no chain of layers: ${name} (${layer.class_name}) is fed by ${found}, ` +
      `not by ${previous ?? 'nothing'} alone`,
  );
}

/** The layers that feed a node: `[["input_1", 0, 0, {}]]` in Keras 2, tensors with a history in 3. */
function sourcesOf(node: unknown): string[] {
  if (Array.isArray(node)) {
    return node.map((source: unknown) => String(Array.isArray(source) ? source[0] : source));
  }
  if (typeof node !== 'object' || node === null) return [];
  const history = (node as { config?: { keras_history?: unknown[] } }).config?.keras_history;
  if (history) return [String(history[0])];
  const { args, kwargs } = node as { args?: unknown[]; kwargs?: Record<string, unknown> };
  return [...(args ?? []), ...Object.values(kwargs ?? {})].flatMap((value) =>
    Array.isArray(value) ? value.flatMap(sourcesOf) : sourcesOf(value),
  );
}

/** The names that Keras 3 makes of classes: `Conv2DTranspose` → `conv2d_transpose`. */
function toSnakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
