/**
 * Operators that move, repeat and pad pixels, or give numbers another shape.
 *
 * @module
 */

import { placeOf } from '../../inference/resize.ts';
import { product } from '../../networks/layers.ts';
import type { NetworkBuilder } from '../../networks/network-builder.ts';
import type { Coordinates } from '../../networks/served-layers.ts';
import { fromLayout, isTensor, type Tensor, toLayout, transpose, type Value } from '../values.ts';
import { CONSTANT_OPERATORS } from './constants.ts';
import {
  accept,
  constantAt,
  float,
  imageOf,
  integer,
  integers,
  numbersAt,
  type Operators,
  type Reading,
  required,
  tensorAt,
  text,
} from './reading.ts';

/** The target of a Reshape without its batch axis. */
function reshape(reading: Reading): Value {
  if (!isTensor(reading.inputs[0]!)) return CONSTANT_OPERATORS.Reshape!(reading);
  const x = tensorAt(reading, 0);
  const target = [...required(reading, 1).values];
  const total = product(x.dims);
  const [first, ...rest] = target;
  const kept = rest.map((length, i) => (length === 0 ? x.dims[i]! : length));
  const known = product(kept.filter((length) => length !== -1));
  const dims = kept.map((length) => (length === -1 ? total / known : length));
  accept(
    product(dims) === total && [reading.batch, -1, 0, 1].includes(first ?? -1),
    `a target of [${target}] for [${x.dims}]`,
  );
  return reshaped(reading.builder, x, dims);
}

const reshaped = (builder: NetworkBuilder, x: Tensor, dims: readonly number[]): Tensor =>
  dims.join() === x.dims.join() ? x : toLayout(builder, fromLayout(builder, x), dims);

function flatten(reading: Reading): Tensor {
  const x = tensorAt(reading, 0);
  accept(integer(reading, 'axis', 1) === 1, 'an axis that is not 1');
  return reshaped(reading.builder, x, [product(x.dims)]);
}

function squeeze(reading: Reading): Value {
  if (!isTensor(reading.inputs[0]!)) return CONSTANT_OPERATORS.Squeeze!(reading);
  const x = tensorAt(reading, 0);
  const all = [reading.batch, ...x.dims];
  const given = constantAt(reading, 1)?.values ?? integers(reading, 'axes');
  const axes = [...given].map((axis) => (axis < 0 ? axis + all.length : axis));
  const left = all.filter((length, i) => (axes.length > 0 ? !axes.includes(i) : length !== 1));
  return reshaped(reading.builder, x, axes.includes(0) ? left : left.slice(1));
}

function unsqueeze(reading: Reading): Value {
  if (!isTensor(reading.inputs[0]!)) return CONSTANT_OPERATORS.Unsqueeze!(reading);
  const x = tensorAt(reading, 0);
  const axes = [...required(reading, 1).values];
  const all = [reading.batch, ...x.dims];
  const length = all.length + axes.length;
  const places = axes.map((axis) => (axis < 0 ? axis + length : axis)).toSorted((a, b) => a - b);
  for (const place of places) all.splice(place, 0, 1);
  return reshaped(reading.builder, x, all.slice(1));
}

function transposed(reading: Reading): Tensor {
  const [batch, ...perm] = integers(reading, 'perm');
  accept(batch === 0, 'the batch axis moved');
  return transpose(
    reading.builder,
    tensorAt(reading, 0),
    perm.map((axis) => axis - 1),
  );
}

function resize(reading: Reading): Tensor {
  const x = tensorAt(reading, 0);
  accept(x.dims.length === 3, `an input of [${x.dims}]`);
  const old = reading.node.operator === 'Upsample';
  const scales = constantAt(reading, old ? 1 : 2)?.values ?? [];
  const sizes = old ? [] : (constantAt(reading, 3)?.values ?? []);
  const [height, width] = ([1, 2] as const).map((axis) =>
    sizes.length > 0 ? sizes[axis + 1]! : Math.floor(x.dims[axis]! * (scales[axis + 1] ?? 1)),
  ) as [number, number];
  const mode = text(reading, 'mode', 'nearest');
  const given = old ? 'asymmetric' : text(reading, 'coordinate_transformation_mode', 'half_pixel');
  const method = ({ nearest: 'nearest', linear: 'bilinear', cubic: 'bicubic' } as const)[mode];
  accept(method !== undefined, `mode ${mode}`);
  accept(COORDINATES.has(given), `coordinate_transformation_mode ${given}`);
  const cubic = float(reading, 'cubic_coeff_a', -0.75);
  accept(method !== 'bicubic' || cubic === -0.75, `cubic_coeff_a ${cubic}`);
  const [, fromHeight, fromWidth] = x.dims as [number, number, number];
  const coordinates = given as Coordinates;
  const sides = { height, width };
  if (method !== 'nearest') {
    const layer = { type: 'resize', ...sides, method: method!, coordinates } as const;
    return imageOf(reading.builder.add(layer, x.output));
  }
  const rounding = old ? 'floor' : text(reading, 'nearest_mode', 'round_prefer_floor');
  accept(
    isInPlace({ from: fromHeight, to: height, coordinates, rounding }) &&
      isInPlace({ from: fromWidth, to: width, coordinates, rounding }),
    `nearest neighbours by ${height / fromHeight} × ${width / fromWidth} of ${given}, ${rounding}`,
  );
  const doubled = height === 2 * fromHeight && width === 2 * fromWidth;
  const layer = doubled
    ? ({ type: 'upSampling2d' } as const)
    : ({ type: 'resize', ...sides, method, coordinates: 'asymmetric' } as const);
  return imageOf(reading.builder.add(layer, x.output));
}

const COORDINATES = new Set(['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel']);

/** How ONNX's `nearest_mode` makes a pixel of a place. */
const ROUNDINGS: Readonly<Record<string, ((place: number) => number) | undefined>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Whether the nearest neighbour of every pixel of an axis is the one that it lies in, as of our layers. */
function isInPlace({
  rounding,
  ...axis
}: {
  from: number;
  to: number;
  coordinates: Coordinates;
  rounding: string;
}): boolean {
  const { from, to } = axis;
  const round = ROUNDINGS[rounding];
  return Array.from({ length: to }, (_, i) => i).every((i) => {
    const pixel = round?.(placeOf(i, axis));
    return (
      pixel !== undefined && Math.max(0, Math.min(from - 1, pixel)) === Math.floor((i * from) / to)
    );
  });
}

function pad(reading: Reading): Tensor {
  const x = tensorAt(reading, 0);
  const pads = [...required(reading, 1).values];
  accept(text(reading, 'mode', 'constant') === 'constant', 'a mode that is not constant');
  accept(!numbersAt(reading, 2)?.some((value) => value !== 0), 'a value that is not 0');
  accept(x.dims.length === 3 && pads.length === 8, `pads of [${pads}]`);
  const [n, c, top, left, n2, c2, bottom, right] = pads as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  accept(
    [n, c, n2, c2].every((side) => side === 0),
    'zeros beside channels',
  );
  const padding = [
    [top, bottom],
    [left, right],
  ] as const;
  return imageOf(reading.builder.add({ type: 'zeroPadding2d', padding }, x.output));
}

/** An Embedding: rows of a constant by the class. */
function gather(reading: Reading): Value {
  const [table, indices] = reading.inputs as [Value, Value];
  if (!isTensor(table) && isTensor(indices)) {
    const [classes, size] = table.dims as [number, number];
    accept(table.dims.length === 2 && indices.output.shape[0] === classes, 'indices of no class');
    const kernel = Float32Array.from(table.values);
    const output = reading.builder.add({ type: 'dense', units: size }, indices.output, { kernel });
    return { output, dims: [size] };
  }
  return CONSTANT_OPERATORS.Gather!(reading);
}

export const PLACEMENT_OPERATORS: Operators = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transposed,
  Resize: resize,
  Upsample: resize,
  Pad: pad,
  Gather: gather,
};
