import type { Network } from '../networks/network.ts';
import { UserError } from '../user-error.ts';
import { hex } from './hash.ts';
import { networkOf } from './layer-schema.ts';
import {
  GENERATOR_MANIFEST,
  type GeneratorDescription,
  readGeneratorManifest,
} from './manifest.ts';
import { allocate, checkNumbers, checkTensors, copyOverlap } from './tensors.ts';
import { type HostWeights, hostRoom, type Room } from './weights.ts';

/** A generator file in memory, checked. */
export interface GeneratorFile extends GeneratorDescription {
  network: Network;
  weights: HostWeights;
}

/**
 * Hands the bytes of a file to `take`, piece by piece in their order; a piece is used up when `take`
 * returns.
 * @returns sha256 of all of them.
 */
export type ReadShard = (
  name: string,
  take: (piece: Uint8Array) => void,
) => Promise<Uint8Array | ArrayBuffer>;

/** How a generator file is read by those who can do more than read a file whole. */
export interface GeneratorFileOptions {
  /** Whole shards are read when omitted. */
  readShard?: ReadShard | undefined;
  /** Room for the first layer's kernel, which inference multiplies as it is stored; an array when omitted. */
  kernelRoom?: ((bytes: number) => Room) | undefined;
}

/**
 * Reads and checks a generator file. Its bytes go straight to the tensors that they belong to, so
 * that no more than a piece of a shard lies in memory twice.
 * @param readFile gives the bytes of a file of the folder by name.
 * @throws UserError in one line: not a generator file, a version from the future, damaged, cut short,
 *   with numbers that are not finite.
 */
export async function loadGeneratorFile(
  readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
  { readShard = wholeShards(readFile), kernelRoom = hostRoom }: GeneratorFileOptions = {},
): Promise<GeneratorFile> {
  const { manifest, hash } = await readGeneratorManifest(readFile);
  const network = networkOf(manifest.layers, {
    latentSize: manifest.latent.size,
    file: GENERATOR_MANIFEST,
  });
  checkTensors(manifest, network);
  // Of a first Dense layer, which is multiplied as it is stored.
  const [first] = network.layers;
  const kernel = first?.layer.type === 'dense' ? first.weights[0]?.name : undefined;
  const weights = allocate(manifest, (name) => (name === kernel ? kernelRoom : hostRoom));
  let start = 0;
  for (const shard of manifest.shards) {
    let read = 0;
    const digest = await readShard(shard.file, (piece) => {
      for (const target of weights.targets) copyOverlap(piece, start + read, target);
      read += piece.length;
    });
    if (read !== shard.bytes || hex(digest) !== shard.sha256) {
      throw new UserError(
        `${shard.file} is damaged (its sha256 or length is not the one in ${GENERATOR_MANIFEST}): ` +
          'export or copy the generator again',
      );
    }
    start += read;
  }
  checkNumbers(weights.byName);
  return { manifest, hash, network, weights: weights.byName };
}

const wholeShards =
  (readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>): ReadShard =>
  async (name, take) => {
    const bytes = await readFile(name);
    take(bytes);
    return crypto.subtle.digest('SHA-256', bytes);
  };
