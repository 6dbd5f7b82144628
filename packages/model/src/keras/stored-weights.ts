/**
 * Where the formats of Keras keep the numbers.
 *
 * @module
 */
import { UserError } from '../user-error.ts';
import type { Hdf5Dataset, Hdf5Group } from './hdf5.ts';
import type { KerasLayer } from './keras-graph.ts';
import type { Variable } from './layers/reading.ts';

/** A layer and the variables that a file must have for it. */
export interface Owner {
  layer: Pick<KerasLayer, 'name' | 'path' | 'outermost'>;
  variables: readonly Variable[];
}

/** The variables of each owner, in order. */
export type StoredWeights = ReadonlyMap<Owner, readonly Hdf5Dataset[]>;

/** Names that say which variable it is, for a check of the order. */
const KNOWN =
  /^(kernel|bias|gamma|beta|moving_mean|moving_variance|embeddings|alpha|depthwise_kernel|pointwise_kernel)/;

/**
 * The legacy layout (Keras 1 to 3, `model_weights` of a `.h5`): attributes `layer_names` and
 * `weight_names` list, in order, the outermost layers and what is in each. Like Keras, this goes by
 * order, as names may have been made unique (`dense_1_1/kernel:0`). A container lists the trainable
 * variables of all its layers first, then the others, also those of frozen layers.
 *
 * @throws UserError when weights are missing, too many, or in another order.
 */
export function readLegacyWeights(
  group: Hdf5Group,
  owners: readonly Owner[],
  file: string,
): StoredWeights {
  const stored = listAttribute(group, 'layer_names')
    .map((name) => ({ name, datasets: listDatasets(group, name, file) }))
    .filter(({ datasets }) => datasets.length > 0);
  const expected = expectedGroups(owners, stored.length);
  if (stored.length !== expected.length) {
    throw new UserError(
      `${file} has weights of ${stored.length} layers, its model has ${expected.length} with weights`,
    );
  }
  const found = new Map<Owner, Hdf5Dataset[]>(owners.map((owner) => [owner, []]));
  expected.forEach((members, i) => {
    const { name, datasets } = stored[i]!;
    const slots = inStoredOrder(members);
    if (datasets.length !== slots.length) {
      throw new UserError(
        `${file}: ${name} has ${datasets.length} weights, its layers take ${slots.length}`,
      );
    }
    slots.forEach(({ owner, variable }, j) => {
      const { weight, dataset } = datasets[j]!;
      const kind = KNOWN.exec(weight.split('/').at(-1)!)?.[0];
      // Keras 3 calls a depthwise kernel `kernel`.
      if (kind && !variable.name.endsWith(kind)) {
        throw new UserError(
          `${file}: ${weight} stands where ${owner.layer.name}/${variable.name} is expected`,
        );
      }
      found.get(owner)!.push(dataset);
    });
  });
  return found;
}

/** Owners by the group that their weights are in: one a layer, or all in one where there is one. */
function expectedGroups(owners: readonly Owner[], storedGroups: number): Owner[][] {
  const withWeights = owners.filter(({ variables }) => variables.length > 0);
  if (storedGroups === 1) return [withWeights];
  const groups = Map.groupBy(withWeights, ({ layer }) => layer.outermost);
  return [...groups.values()];
}

function inStoredOrder(owners: readonly Owner[]): { owner: Owner; variable: Variable }[] {
  const all = owners.flatMap((owner) => owner.variables.map((variable) => ({ owner, variable })));
  return [
    ...all.filter(({ variable }) => variable.trainable),
    ...all.filter(({ variable }) => !variable.trainable),
  ];
}

function listDatasets(group: Hdf5Group, layer: string, file: string) {
  const layerGroup = group.groups.get(layer);
  if (!layerGroup) throw new UserError(`${file}: the weights of layer ${layer} are missing`);
  return listAttribute(layerGroup, 'weight_names').map((weight) => {
    const dataset = datasetAt(layerGroup, weight);
    if (!dataset) throw new UserError(`${file}: the weight ${weight} is missing`);
    return { weight, dataset };
  });
}

/** Lists too long for one attribute are cut into `layer_names0`, `layer_names1`, … */
function listAttribute({ attributes }: Hdf5Group, name: string): string[] {
  const whole = attributes.get(name);
  if (whole !== undefined) return [whole].flat();
  const parts: string[] = [];
  for (let i = 0; attributes.has(`${name}${i}`); i++) {
    parts.push(...[attributes.get(`${name}${i}`)!].flat());
  }
  return parts;
}

/**
 * The layout of Keras 3 (`.weights.h5`, and inside `.keras`): `layers/dense/vars/0`, named by class
 * and count. Weights of a Model around the layers are found too.
 * @throws UserError naming the first weight that is missing.
 */
export function readKeras3Weights(
  root: Hdf5Group,
  owners: readonly Owner[],
  file: string,
): StoredWeights {
  const innermost = unwrap(root, owners);
  return new Map(
    owners.map((owner) => [
      owner,
      owner.variables.map(({ name }, i) => {
        const dataset = datasetAt(innermost, `${owner.layer.path}/vars/${i}`);
        if (dataset) return dataset;
        throw new UserError(`${file}: the weight ${owner.layer.name}/${name} is missing`);
      }),
    ]),
  );
}

/** A file of weights alone may be of a Model around the one that is expected. */
function unwrap(root: Hdf5Group, owners: readonly Owner[]): Hdf5Group {
  const layers = (root.groups.get('layers') ?? root.groups.get(LAYERS_OF_2_13))?.groups;
  const expected = owners[0]?.layer.path.split('/')[1];
  if (!layers || (expected && layers.has(expected))) return root;
  const container = [...layers.values()].find(({ groups }) => groups.has('layers'));
  return container ? unwrap(container, owners) : root;
}

/** What Keras 2.12 and 2.13 called `layers`. */
const LAYERS_OF_2_13 = '_layer_checkpoint_dependencies';

/** @returns undefined where there is none, or none of float numbers. */
function datasetAt(group: Hdf5Group, path: string): Hdf5Dataset | undefined {
  const parts = path.split('/');
  const name = parts.pop()!;
  const parent = parts.reduce<Hdf5Group | undefined>(
    (at, part) =>
      at?.groups.get(part) ?? (part === 'layers' ? at?.groups.get(LAYERS_OF_2_13) : undefined),
    group,
  );
  return parent?.datasets.get(name);
}
