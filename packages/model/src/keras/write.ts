/**
 * Networks written as Keras saves them, for Keras 2 and 3.
 *
 * @module
 */
import { strToU8, zipSync } from 'fflate';
import type { Network, PlacedLayer } from '../networks/network.ts';
import { type Hdf5Dataset, hdf5Group, writeHdf5 } from './hdf5.ts';
import { sequentialConfig } from './write-config.ts';

export { hasKerasLayers } from './write-config.ts';

/** The version whose layout `.h5` files follow. */
const KERAS_2_VERSION = '2.2.4';
/** The version whose layout `.keras` files follow. */
const KERAS_3_VERSION = '3.0.0';

/** Float32 numbers of every weight of a network, by name. */
export type WeightValues = ReadonlyMap<string, Float32Array>;

/** A whole model, architecture and weights, as one legacy HDF5 file: `load_model('x.h5')`. */
export function writeKerasH5(network: Network, weights: WeightValues): Promise<Uint8Array> {
  const versions = { backend: 'tensorflow', keras_version: KERAS_2_VERSION };
  const layers = network.layers.map((placed) => {
    const names = placed.weights.map((spec) => `${spec.name}:0`);
    const datasets = datasetsOf(placed, weights).map(
      (dataset, i) => [names[i]!.slice(placed.name.length + 1), dataset] as const,
    );
    // The slash in a weight's name makes it a dataset in a group of its own.
    const groups = names.length > 0 ? [[placed.name, hdf5Group({ datasets })] as const] : [];
    return [placed.name, hdf5Group({ attributes: { weight_names: names }, groups })] as const;
  });
  const modelWeights = hdf5Group({
    attributes: { layer_names: network.layers.map(({ name }) => name), ...versions },
    groups: layers,
  });
  const model_config = JSON.stringify(sequentialConfig(network, 'keras2'));
  return writeHdf5(
    hdf5Group({
      attributes: { ...versions, model_config },
      groups: [['model_weights', modelWeights]],
    }),
  );
}

/** Weights alone, as Keras 3 has them: `model.load_weights('x.weights.h5')`. */
export function writeKerasWeights(network: Network, weights: WeightValues): Promise<Uint8Array> {
  const layers = network.layers.map((placed) => {
    const datasets = datasetsOf(placed, weights).map((dataset, i) => [String(i), dataset] as const);
    const variables = hdf5Group({ attributes: { name: placed.name }, datasets });
    return [placed.name, hdf5Group({ groups: [['vars', variables]] })] as const;
  });
  const root = hdf5Group({ attributes: { name: network.name } });
  return writeHdf5(
    hdf5Group({
      groups: [
        ['layers', hdf5Group({ groups: layers })],
        ['vars', root],
      ],
    }),
  );
}

/** A whole model in the format of Keras 3: `load_model('x.keras')`. */
export async function writeKerasArchive(
  network: Network,
  weights: WeightValues,
): Promise<Uint8Array> {
  const json = (value: unknown) => strToU8(JSON.stringify(value));
  const files = {
    'metadata.json': json({ keras_version: KERAS_3_VERSION, date_saved: '' }),
    'config.json': json({
      ...sequentialConfig(network, 'keras3'),
      build_config: { input_shape: [null, ...network.inputShape] },
    }),
    'model.weights.h5': await writeKerasWeights(network, weights),
  };
  // Not compressed, as Keras does it, and of one date, so that equal models are equal files.
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}

function datasetsOf({ weights: specs }: PlacedLayer, weights: WeightValues): Hdf5Dataset[] {
  return specs.map(({ name, shape }) => {
    const values = weights.get(name);
    if (!values) throw new Error(`the weight ${name} is missing`);
    return { shape, values };
  });
}
