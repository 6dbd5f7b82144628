/**
 * Where the tensors of a generator file lie in its stream of bytes, and in memory.
 *
 * @module
 */
import { product } from '../networks/layers.ts';
import type { Network } from '../networks/network.ts';
import { UserError } from '../user-error.ts';
import { GENERATOR_MANIFEST, type GeneratorManifest, type TensorEntry } from './manifest.ts';
import type { Encoding, HostWeight, HostWeights, Room } from './weights.ts';

const BYTES: Record<Encoding, number> = { float32: 4, float16: 2, int8: 1 };

/** @throws UserError when the tensors are not those of the network. */
export function checkTensors(
  { tensors, shards, image }: GeneratorManifest,
  network: Network,
): void {
  const total = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  checkNames(tensors, network);
  checkOverlap(tensors);
  for (const { name, shape } of network.weights) {
    const tensor = byName.get(name);
    if (!tensor) throw new UserError(`${GENERATOR_MANIFEST}: the weight ${name} is missing`);
    if (tensor.shape.join() !== shape.join()) {
      throw new UserError(
        `${GENERATOR_MANIFEST}: the weight ${name} has shape [${tensor.shape}], its layer takes [${shape}]`,
      );
    }
    if (tensor.encoding === 'int8' && tensor.scalesOffset === undefined) {
      throw new UserError(`${GENERATOR_MANIFEST}: the int8 weight ${name} has no scalesOffset`);
    }
    const scalesEnd = (tensor.scalesOffset ?? 0) + 4 * shape.at(-1)!;
    const end = tensor.offset + product(shape) * BYTES[tensor.encoding];
    if (Math.max(end, tensor.encoding === 'int8' ? scalesEnd : 0) > total) {
      throw new UserError(`${GENERATOR_MANIFEST}: the weight ${name} lies beyond the shards`);
    }
  }
  const [height, width, channels] = network.outputShape;
  if (height !== image.height || width !== image.width || channels !== image.channels) {
    throw new UserError(
      `${GENERATOR_MANIFEST}: the layers make [${network.outputShape}], not the image it describes`,
    );
  }
}

/** Every tensor belongs to a weight, and to one only. */
function checkNames(tensors: readonly TensorEntry[], network: Network): void {
  const known = new Set(network.weights.map(({ name }) => name));
  for (const { name } of tensors) {
    if (!known.delete(name)) {
      throw new UserError(
        `${GENERATOR_MANIFEST}: the tensor ${name} is there twice, or no layer has such a weight`,
      );
    }
  }
}

/** No two tensors share a byte. */
function checkOverlap(tensors: readonly TensorEntry[]): void {
  const ranges = tensors
    .flatMap(({ name, shape, encoding, offset, scalesOffset }) => [
      { name, start: offset, end: offset + product(shape) * BYTES[encoding] },
      ...(scalesOffset === undefined
        ? []
        : [{ name, start: scalesOffset, end: scalesOffset + 4 * (shape.at(-1) ?? 1) }]),
    ])
    .sort((a, b) => a.start - b.start);
  for (const [i, { name, end }] of ranges.entries()) {
    const next = ranges[i + 1];
    if (next !== undefined && next.start < end) {
      throw new UserError(`${GENERATOR_MANIFEST}: the tensors ${name} and ${next.name} overlap`);
    }
  }
}

/** Where the bytes from `offset` of the stream on belong. */
interface Target {
  offset: number;
  bytes: number;
  room: Room;
}

/** @returns the weights by name, and where the bytes of the stream go. */
export function allocate(
  { tensors }: GeneratorManifest,
  roomOf: (name: string) => (bytes: number) => Room,
) {
  const byName = new Map<string, HostWeight>();
  const targets: Target[] = [];
  for (const { name, shape, encoding, offset, scalesOffset } of tensors) {
    const length = product(shape);
    const bytes = length * BYTES[encoding];
    const room = roomOf(name)(bytes);
    targets.push({ offset, bytes, room });
    // Asked for anew each time, because the room may move.
    switch (encoding) {
      case 'float32':
        byName.set(name, {
          ...{ encoding, shape },
          get values() {
            return new Float32Array(room.buffer, room.address, length);
          },
        });
        break;
      case 'float16':
        byName.set(name, {
          ...{ encoding, shape },
          get values() {
            return new Uint16Array(room.buffer, room.address, length);
          },
        });
        break;
      case 'int8': {
        const scales = new Float32Array(shape.at(-1)!);
        targets.push({
          offset: scalesOffset ?? 0,
          bytes: scales.byteLength,
          room: { buffer: scales.buffer, address: 0 },
        });
        byName.set(name, {
          ...{ encoding, shape, scales },
          get values() {
            return new Int8Array(room.buffer, room.address, length);
          },
        });
      }
    }
  }
  return { byName, targets };
}

/** Copies the part of `piece` (which begins at `start` of the stream) that belongs to a target. */
export function copyOverlap(
  piece: Uint8Array,
  start: number,
  { offset, bytes, room }: Target,
): void {
  const from = Math.max(start, offset);
  const to = Math.min(start + piece.length, offset + bytes);
  if (from >= to) return;
  const target = new Uint8Array(room.buffer, room.address, bytes);
  target.set(piece.subarray(from - start, to - start), from - offset);
}

/** A network that has diverged renders nothing; kernels that turn NaN into 0 would hide it. */
export function checkNumbers(weights: HostWeights): void {
  for (const [name, weight] of weights) {
    const numbers = weight.encoding === 'int8' ? weight.scales : weight.values;
    const finite =
      weight.encoding === 'float16'
        ? numbers.every((bits) => (bits & 0x7c00) !== 0x7c00)
        : numbers.every(Number.isFinite);
    if (!finite) {
      throw new UserError(
        `the weight ${name} has numbers that are not finite: export a generator from before its training diverged`,
      );
    }
    const isVariance = name.endsWith('/moving_variance');
    if (isVariance && weight.encoding === 'float32' && weight.values.some((value) => value < 0)) {
      throw new UserError(`the weight ${name} has a negative variance, which has no root`);
    }
  }
}
