/**
 * How a Keras configuration names outputs of layers.
 *
 * @module
 */
import { z } from 'zod';

/** An output of a layer at one of its calls. */
export interface TensorRef {
  layer: string;
  call: number;
  tensor: number;
}

/** `[["input_1", 0, 0, {}]]` in Keras 2, tensors with a history in 3. */
export function callOf(node: unknown): TensorRef[] {
  if (Array.isArray(node)) return refsOf(node);
  if (typeof node !== 'object' || node === null) return [];
  const { args, kwargs } = node as { args?: unknown[]; kwargs?: Record<string, unknown> };
  return [...(args ?? []), ...Object.values(kwargs ?? {})].flatMap(refsIn);
}

function refsIn(value: unknown): TensorRef[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (typeof value !== 'object' || value === null) return [];
  const history = (value as { config?: { keras_history?: unknown[] } }).config?.keras_history;
  return history ? refsOf([history]) : [];
}

const refSchema = z.tuple([z.string(), z.number().int(), z.number().int()]).rest(z.unknown());

/** `["dense", 0, 0]`, a list of such, or an object of such. */
export function refsOf(value: unknown): TensorRef[] {
  const single = refSchema.safeParse(value);
  if (single.success) {
    const [layer, call, tensor] = single.data;
    return [{ layer, call, tensor }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(refsOf);
}
