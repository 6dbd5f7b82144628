/**
 * What Keras layers are read with, and what several kinds of them share.
 *
 * @module
 */
import { z } from 'zod';
import type { NetworkBuilder, Output } from '../../networks/network-builder.ts';
import type { Coordinates, Pair } from '../../networks/served-layers.ts';
import { activationLayers, Refusal } from '../activations.ts';
import type { KerasLayer } from '../keras-graph.ts';

/** Whose layers they are, where the same layer does something else in each. */
export type Dialect = 'keras2' | 'keras3' | 'tfjs';

/** A variable that a file must have for a layer. */
export interface Variable {
  /** `kernel`, `bias`, `gamma`, … */
  name: string;
  trainable: boolean;
}

/** What a layer is read with. */
export interface Reading {
  builder: NetworkBuilder;
  dialect: Dialect;
  /** At least one. */
  inputs: readonly Output[];
  /** A variable of the layer. @throws UserError when it has another shape. */
  take(name: string, shape: readonly number[]): Float32Array;
}

export type Config = KerasLayer['config'];

/** How one kind of layer is read. */
export interface Reader {
  variables?: (config: Config) => Variable[];
  /** @throws Refusal saying what about the layer is not accepted. */
  read: (config: Config, reading: Reading) => Output;
}

/** By the name of the Keras class. */
export type Readers = Readonly<Record<string, Reader | undefined>>;

export const pairSchema = z.union([
  z.number().transform((n): Pair => [n, n]),
  z.tuple([z.number(), z.number()]).transform(([a, b]): Pair => [a, b]),
]);

export const size = z.number().int().positive();

export const axisSchema = z.union([z.number(), z.tuple([z.number()]).transform(([axis]) => axis)]);

export function kernelAndBias(config: Config): Variable[] {
  const kernel = { name: 'kernel', trainable: true };
  return config.use_bias === false ? [kernel] : [kernel, { name: 'bias', trainable: true }];
}

export function withActivation({ builder, dialect }: Reading, x: Output, value: unknown): Output {
  return activationLayers(value, dialect === 'keras3').reduce(
    (y, layer) => builder.add(layer, y),
    x,
  );
}

export function resized(
  builder: NetworkBuilder,
  x: Output,
  {
    interpolation,
    ...layer
  }: { height: number; width: number; interpolation: string; coordinates: Coordinates },
): Output {
  accept(
    interpolation === 'nearest' || interpolation === 'bilinear',
    `interpolation "${interpolation}"`,
  );
  const method = interpolation === 'nearest' ? 'nearest' : 'bilinear';
  return builder.add({ type: 'resize', ...layer, method }, x);
}

/** @throws Refusal when the input is no image. */
export function image({ inputs }: Reading): Output {
  const [x] = inputs as [Output];
  accept(x.shape.length === 3, `an input of shape [${x.shape.join(', ')}], which is no image`);
  return x;
}

export function parse<Schema extends z.ZodType>(schema: Schema, config: unknown): z.output<Schema> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Refusal(`${issue.path.join('.')} is not as Keras writes it`);
}

export function channelsLast(dataFormat: string | null | undefined): void {
  accept(!dataFormat || dataFormat === 'channels_last', `data_format "${dataFormat}"`);
}

export function accept(condition: boolean, otherwise: string): void {
  if (!condition) throw new Refusal(otherwise);
}
