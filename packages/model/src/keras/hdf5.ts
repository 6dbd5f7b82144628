/**
 * HDF5 files as plain trees, read and written whole by h5wasm (the HDF5 C library in wasm).
 *
 * @module
 */
import { Dataset, File, Group, ready } from 'h5wasm';
import { float16Table } from '../float16.ts';
import { product } from '../networks/layers.ts';
import { UserError } from '../user-error.ts';

export interface Hdf5Dataset {
  shape: readonly number[];
  values: Float32Array;
}

/** A group with what Keras keeps in one: text attributes, groups, and datasets of float numbers. */
export interface Hdf5Group {
  attributes: ReadonlyMap<string, string | readonly string[]>;
  groups: ReadonlyMap<string, Hdf5Group>;
  datasets: ReadonlyMap<string, Hdf5Dataset>;
}

/** Keras nests a handful of groups; more is a loop of links in a damaged file. */
const DEEPEST = 16;
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

let opened = 0;

/** Whether the bytes begin as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/**
 * @param name what the file is called in messages.
 * @throws UserError when the file is damaged or cut short.
 */
export async function readHdf5(bytes: Uint8Array, name: string): Promise<Hdf5Group> {
  const module = await ready;
  const { FS, activate_throwing_error_handler } = module;
  // Without this the C library prints its whole stack to the terminal, and goes on.
  activate_throwing_error_handler();
  const path = `/read-${opened++}.h5`;
  FS.writeFile(path, bytes);
  try {
    const file = new File(path, 'r');
    try {
      return readGroup(file, 0, module);
    } finally {
      file.close();
    }
  } catch {
    throw new UserError(`${name} is damaged or cut short: copy or download it again`);
  } finally {
    FS.unlink(path);
  }
}

type Module = Awaited<typeof ready>;

function readGroup(group: Group, depth: number, module: Module): Hdf5Group {
  if (depth > DEEPEST) throw new Error('groups are nested too deep');
  const groups = new Map<string, Hdf5Group>();
  const datasets = new Map<string, Hdf5Dataset>();
  for (const key of group.keys()) {
    const child = group.get(key);
    if (child instanceof Group) groups.set(key, readGroup(child, depth + 1, module));
    const dataset = child instanceof Dataset ? readDataset(child, module) : undefined;
    if (dataset) datasets.set(key, dataset);
  }
  return { attributes: readAttributes(group), groups, datasets };
}

function readAttributes(group: Group): Map<string, string | string[]> {
  const attributes = new Map<string, string | string[]>();
  for (const [key, { value }] of Object.entries(group.attrs)) {
    if (typeof value === 'string') attributes.set(key, fromUtf8(value));
    // An empty list has no text in it from which to tell that it is one of texts.
    else if (Array.isArray(value)) {
      attributes.set(
        key,
        value.map((text) => fromUtf8(String(text))),
      );
    } else if (value instanceof Float64Array && value.length === 0) attributes.set(key, []);
  }
  return attributes;
}

/** Keras writes UTF-8 and says ASCII, which h5wasm takes at its word: a letter a byte. */
function fromUtf8(text: string): string {
  const letters = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  if (letters.some((letter) => letter > 255)) return text;
  const bytes = Uint8Array.from(letters);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
}

/** HDF5's classes of types. */
const FLOAT = 1;
const OPAQUE = 5;

/** Datasets of other numbers (counters of optimizers) are omitted. */
function readDataset(dataset: Dataset, module: Module): Hdf5Dataset | undefined {
  const { shape } = dataset;
  if (!shape) return undefined;
  const values = readNumbers(dataset, module);
  if (values && values.length !== product(shape)) throw new Error('a dataset is cut short');
  return values && { shape, values };
}

function readNumbers(dataset: Dataset, module: Module): Float32Array | undefined {
  const { type, size } = dataset.metadata;
  if (type === FLOAT && size === 2) {
    const table = float16Table();
    return Float32Array.from(new Uint16Array(rawBytes(dataset, module)), (bits) => table[bits]!);
  }
  // bfloat16, the upper half of a float32, has no type in HDF5.
  if (type === OPAQUE && size === 2) {
    const halves = new Uint16Array(rawBytes(dataset, module));
    return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
  }
  const { value } = dataset;
  if (value instanceof Float32Array) return value;
  return value instanceof Float64Array ? Float32Array.from(value) : undefined;
}

/** The bytes of a dataset as they are, little-endian: h5wasm knows no numbers of two bytes. */
function rawBytes(dataset: Dataset, module: Module): ArrayBuffer {
  const bytes = Number(dataset.metadata.total_size) * dataset.metadata.size;
  const address = module._malloc(bytes);
  try {
    module.get_dataset_data(dataset.file_id, dataset.path, null, null, null, BigInt(address));
    return module.HEAPU8.slice(address, address + bytes).buffer;
  } finally {
    module._free(address);
  }
}

/** The bytes of an HDF5 file with this content: always the same ones for the same content. */
export async function writeHdf5(root: Hdf5Group): Promise<Uint8Array> {
  const { FS } = await ready;
  const path = `/write-${opened++}.h5`;
  return atTheEpoch(() => {
    const file = new File(path, 'w');
    try {
      writeGroup(file, root);
      file.close();
      return FS.readFile(path);
    } finally {
      FS.unlink(path);
    }
  });
}

/**
 * The C library stores when a dataset was written, and h5wasm has no option for its
 * `H5Pset_obj_track_times`; so the clock that it asks stands still meanwhile.
 */
function atTheEpoch<T>(write: () => T): T {
  const { now } = Date;
  Date.now = () => 0;
  try {
    return write();
  } finally {
    Date.now = now;
  }
}

function writeGroup(target: Group, { attributes, groups, datasets }: Hdf5Group): void {
  // Texts of fixed length are what Keras 2 wrote itself; h5py of its time reads others as str,
  // which it cannot decode.
  for (const [key, value] of attributes) {
    const texts = typeof value === 'string' ? [value] : value;
    const width = Math.max(1, ...texts.map((text) => text.length));
    const shape = typeof value === 'string' ? [] : [texts.length];
    target.create_attribute(key, value as string | string[], shape, `S${width}`);
  }
  for (const [key, group] of groups) writeGroup(target.create_group(key), group);
  for (const [name, { shape, values }] of datasets) {
    target.create_dataset({ name, data: values, shape: [...shape] });
  }
}

/** A group, with what is omitted empty. */
export function hdf5Group({
  attributes = {},
  groups = [],
  datasets = [],
}: {
  attributes?: Readonly<Record<string, string | readonly string[]>>;
  groups?: Iterable<readonly [string, Hdf5Group]>;
  datasets?: Iterable<readonly [string, Hdf5Dataset]>;
}): Hdf5Group {
  return {
    attributes: new Map(Object.entries(attributes)),
    groups: new Map(groups),
    datasets: new Map(datasets),
  };
}
