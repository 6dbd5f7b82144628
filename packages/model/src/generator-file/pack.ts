import { TANH_RANGE, type ValueRange } from '../image.ts';
import type { Direction } from '../latents/directions.ts';
import type { LatentSpace } from '../latents/latent.ts';
import { product } from '../networks/layers.ts';
import type { Network } from '../networks/network.ts';
import { sha256 } from './hash.ts';
import { layerEntries } from './layer-schema.ts';
import {
  GENERATOR_MANIFEST,
  type GeneratorManifest,
  type Rights,
  type TensorEntry,
  writeManifest,
} from './manifest.ts';
import { cutShards } from './shards.ts';
import { type Encoding, encodeWeight } from './weights.ts';

/** What the writer cannot work out by itself. */
export interface GeneratorFacts {
  preset: string;
  latent: LatentSpace;
  classes: readonly string[];
  training: GeneratorManifest['training'];
  /** What black and white are in the generator's output; [-1, 1] when omitted. */
  range?: ValueRange;
  /** With names that differ; none when omitted. */
  directions?: readonly Direction[];
  rights?: Rights;
}

/**
 * Packs a generator. Kernels take the encoding; vectors (biases, normalization) stay float32.
 * With int8 kernels, convolutions are computed in integers: what rounds the activations costs less
 * than what has rounded the kernels, and a picture takes two thirds of the time.
 * @param options.weights float32 numbers of every weight of `network`, by name
 * @returns the files of the folder, by name.
 */
export async function packGenerator({
  network,
  weights,
  encoding,
  facts,
}: {
  network: Network;
  weights: ReadonlyMap<string, Float32Array>;
  encoding: Encoding;
  facts: GeneratorFacts;
}): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const { tensors, chunks } = encodeTensors(network, weights, encoding);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const shards: GeneratorManifest['shards'] = [];
  for (const [index, bytes] of cutShards(chunks).entries()) {
    const file = `weights-${index}.bin`;
    files.set(file, bytes);
    shards.push({ file, bytes: bytes.byteLength, sha256: await sha256(bytes) });
  }
  const [height, width, channels] = network.outputShape;
  const manifest = await writeManifest({
    preset: facts.preset,
    latent: facts.latent,
    image: { width, height, channels, range: facts.range ?? TANH_RANGE },
    classes: facts.classes,
    directions: facts.directions ?? [],
    training: facts.training,
    ...facts.rights,
    arithmetic: encoding === 'int8' ? 'integer' : 'float32',
    layers: layerEntries(network),
    tensors,
    shards,
  });
  return files.set(GENERATOR_MANIFEST, manifest);
}

/** The tensors as they lie end to end, each from a multiple of four bytes on. */
function encodeTensors(
  network: Network,
  weights: ReadonlyMap<string, Float32Array>,
  encoding: Encoding,
) {
  const tensors: TensorEntry[] = [];
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const append = (values: ArrayBufferView): number => {
    const start = offset;
    const padding = (4 - (values.byteLength % 4)) % 4;
    chunks.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    chunks.push(new Uint8Array(padding));
    offset += values.byteLength + padding;
    return start;
  };
  for (const { name, shape } of network.weights) {
    const values = weights.get(name);
    if (values?.length !== product(shape))
      throw new Error(`the weight ${name} is missing or short`);
    const weight = encodeWeight(values, shape, shape.length > 1 ? encoding : 'float32');
    const entry = {
      name,
      shape: [...shape],
      encoding: weight.encoding,
      offset: append(weight.values),
    };
    const scales = weight.encoding === 'int8' ? { scalesOffset: append(weight.scales) } : {};
    tensors.push({ ...entry, ...scales });
  }
  return { tensors, chunks };
}
