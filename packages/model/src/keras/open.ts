/**
 * Keras files of every kind, told apart by their content.
 *
 * @module
 */
import { strFromU8, unzipSync } from 'fflate';
import { UserError } from '../user-error.ts';
import { type Hdf5Group, isHdf5, readHdf5 } from './hdf5.ts';

/** What a Keras file holds. */
export interface KerasFile {
  /** The architecture; undefined in files of weights alone. */
  config: unknown;
  /** How the weights are laid out: see stored-weights.ts. */
  layout: 'legacy' | 'keras3';
  weights: Hdf5Group;
  /** The version that wrote it, where the file says. */
  kerasVersion: string | undefined;
}

const ZIP_SIGNATURE = [0x50, 0x4b, 0x03, 0x04];
const ARCHIVED = ['metadata.json', 'config.json', 'model.weights.h5'];

/**
 * @param file what the file is called in messages.
 * @throws UserError when it is damaged, or no file of Keras.
 */
export async function openKerasFile(bytes: Uint8Array, file: string): Promise<KerasFile> {
  if (ZIP_SIGNATURE.every((byte, i) => bytes[i] === byte)) return openArchive(bytes, file);
  if (!isHdf5(bytes)) {
    throw new UserError(`${file} is neither an HDF5 file nor a .keras archive`);
  }
  const root = await readHdf5(bytes, file);
  const text = root.attributes.get('model_config');
  const weights = root.groups.get('model_weights');
  const kerasVersion = versionOf(weights ?? root);
  if (typeof text === 'string') {
    if (!weights) throw new UserError(`${file} has a model but no model_weights in it`);
    const config = parseJson(text, `the model_config of ${file}`);
    return { config, layout: 'legacy', weights, kerasVersion };
  }
  const legacy = root.attributes.has('layer_names') || root.attributes.has('layer_names0');
  if (!legacy && !root.groups.has('layers')) {
    throw new UserError(`${file} is an HDF5 file, but Keras has not written a model into it`);
  }
  return { config: undefined, layout: legacy ? 'legacy' : 'keras3', weights: root, kerasVersion };
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
  return {
    config: parseJson(strFromU8(config), `the config of ${file}`),
    layout: 'keras3',
    weights: await readHdf5(weights, `model.weights.h5 in ${file}`),
    kerasVersion: typeof version === 'string' ? version : undefined,
  };
}

function unzip(bytes: Uint8Array, file: string): Record<string, Uint8Array | undefined> {
  try {
    return unzipSync(bytes, { filter: ({ name }) => ARCHIVED.includes(name) });
  } catch {
    throw new UserError(`${file} is damaged or cut short: copy or download it again`);
  }
}

function parseJson(text: string, what: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // The error says no more than the line below.
  }
  throw new UserError(`${what} is no JSON: copy or download it again`);
}

function versionOf({ attributes }: Hdf5Group): string | undefined {
  const version = attributes.get('keras_version');
  return typeof version === 'string' ? version : undefined;
}
