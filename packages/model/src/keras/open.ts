/**
 * Keras files of every kind, distinguished by their content.
 *
 * @module
 */
import { strFromU8, unzipSync } from 'fflate';
import { UserError } from '../user-error.ts';
import { type Hdf5Group, isHdf5, readHdf5 } from './hdf5.ts';
import { type KerasFile, parseJson, type ReadBeside } from './keras-file.ts';
import { readKeras3Weights, readLegacyWeights } from './stored-weights.ts';
import { isJson, openTfjsModel } from './tfjs.ts';

const ZIP_SIGNATURE = [0x50, 0x4b, 0x03, 0x04];
const ARCHIVED = ['metadata.json', 'config.json', 'model.weights.h5'];

/**
 * @param file what the file is called in messages.
 * @throws UserError when it is damaged, or no file of Keras.
 */
export async function openKerasFile(
  bytes: Uint8Array,
  file: string,
  readBeside: ReadBeside | undefined,
): Promise<KerasFile> {
  if (isJson(bytes)) return openTfjsModel(bytes, file, readBeside);
  if (ZIP_SIGNATURE.every((byte, i) => bytes[i] === byte)) return openArchive(bytes, file);
  if (!isHdf5(bytes)) {
    throw new UserError(
      `${file} is neither an HDF5 file, a .keras archive nor a model.json of tfjs`,
    );
  }
  const root = await readHdf5(bytes, file);
  const text = root.attributes.get('model_config');
  const weights = root.groups.get('model_weights');
  const kerasVersion = versionOf(weights ?? root);
  if (typeof text === 'string') {
    if (!weights) throw new UserError(`${file} has a model but no model_weights in it`);
    const config = parseJson(text, `the model_config of ${file}`);
    return writtenByKeras(kerasVersion, { config, weights, file, read: readLegacyWeights });
  }
  const legacy = root.attributes.has('layer_names') || root.attributes.has('layer_names0');
  if (!legacy && !root.groups.has('layers')) {
    throw new UserError(`${file} is an HDF5 file, but Keras has not written a model into it`);
  }
  const read = legacy ? readLegacyWeights : readKeras3Weights;
  return writtenByKeras(kerasVersion, { config: undefined, weights: root, file, read });
}

async function openArchive(bytes: Uint8Array, file: string): Promise<KerasFile> {
  const entries = unzip(bytes, file);
  const [metadata, config, weights] = ARCHIVED.map((name) => entries[name]);
  if (!config || !weights) {
    throw new UserError(`${file} is a zip archive, but not one that Keras has written`);
  }
  const { keras_version: version } = metadata
    ? (parseJson(strFromU8(metadata), `the metadata of ${file}`) as { keras_version?: unknown })
    : {};
  return writtenByKeras(typeof version === 'string' ? version : undefined, {
    config: parseJson(strFromU8(config), `the config of ${file}`),
    weights: await readHdf5(weights, `model.weights.h5 in ${file}`),
    ...{ file, read: readKeras3Weights },
  });
}

function writtenByKeras(
  version: string | undefined,
  {
    config,
    weights,
    file,
    read,
  }: {
    config: unknown;
    weights: Hdf5Group;
    file: string;
    read: typeof readLegacyWeights;
  },
): KerasFile {
  return {
    config,
    framework: `Keras ${version ?? 'of unknown version'}`,
    dialect: version?.startsWith('3') ? 'keras3' : 'keras2',
    findWeights: (owners) => read(weights, owners, file),
  };
}

function unzip(bytes: Uint8Array, file: string): Record<string, Uint8Array | undefined> {
  try {
    return unzipSync(bytes, { filter: ({ name }) => ARCHIVED.includes(name) });
  } catch {
    throw new UserError(`${file} is damaged or cut short: copy or download it again`);
  }
}

function versionOf({ attributes }: Hdf5Group): string | undefined {
  const version = attributes.get('keras_version');
  return typeof version === 'string' ? version : undefined;
}
