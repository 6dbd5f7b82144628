/**
 * ONNX operators as our layers (https://onnx.ai/onnx/operators).
 *
 * @module
 */
import { addConvolution, addTransposed, samePadding } from '../networks/geometry.ts';
import { type Layer, type Padding2D, product } from '../networks/layers.ts';
import type { NetworkBuilder, Output } from '../networks/network-builder.ts';
import type { Coordinates, Pair } from '../networks/served-layers.ts';
import { CONSTANT_OPERATORS } from './constants.ts';
import type { Constant, OnnxNode } from './model.ts';
import { fromLayout, isTensor, type Tensor, toLayout, transpose, type Value } from './values.ts';

/** What a node is read with. */
export interface Reading {
  builder: NetworkBuilder;
  node: OnnxNode;
  /** Undefined where one is omitted. */
  inputs: readonly (Value | undefined)[];
  /** Images that the file was made for. */
  batch: number;
  opset: number;
}

type Operator = (reading: Reading) => Value;

const tensorAt = ({ inputs }: Reading, i: number): Tensor => {
  const value = inputs[i];
  if (value && isTensor(value)) return value;
  throw new Error(`input ${i + 1} does not depend on the latent`);
};

const constantAt = ({ inputs }: Reading, i: number): Constant | undefined => {
  const value = inputs[i];
  if (value && isTensor(value)) throw new Error(`input ${i + 1} is not constant`);
  return value;
};

const numbersAt = (reading: Reading, i: number): Float32Array | undefined => {
  const constant = constantAt(reading, i);
  return constant && Float32Array.from(constant.values);
};

const required = (reading: Reading, i: number): Constant => {
  const constant = constantAt(reading, i);
  if (!constant) throw new Error(`input ${i + 1} is omitted`);
  return constant;
};

const integer = ({ node }: Reading, name: string, otherwise: number): number =>
  node.attributes.get(name)?.i ?? otherwise;
const float = ({ node }: Reading, name: string, otherwise: number): number =>
  node.attributes.get(name)?.f ?? otherwise;
const text = ({ node }: Reading, name: string, otherwise: string): string =>
  node.attributes.get(name)?.text || otherwise;
const integers = ({ node }: Reading, name: string): readonly number[] =>
  node.attributes.get(name)?.ints ?? [];

/** An operator that leaves the shape as it is. */
const same =
  (layerOf: (reading: Reading) => Layer): Operator =>
  (reading) => {
    const { output, dims } = tensorAt(reading, 0);
    return { output: reading.builder.add(layerOf(reading), output), dims };
  };

const elementwise = (
  name: 'selu' | 'softplus' | 'softsign' | 'mish' | 'exp' | 'erf' | 'hardSilu',
) => same(() => ({ type: 'elementwise', function: name }));

const pass: Operator = ({ inputs }) => inputs[0]!;

function gemm(reading: Reading): Tensor {
  const x = tensorAt(reading, 0);
  const weight = required(reading, 1);
  const [rows, columns] = weight.dims as [number, number];
  const flipped = integer(reading, 'transB', 0) === 1;
  accept(integer(reading, 'transA', 0) === 0, 'transA');
  const alpha = float(reading, 'alpha', 1);
  const beta = float(reading, 'beta', 1);
  const [inputs, units] = flipped ? [columns, rows] : [rows, columns];
  const kernel = new Float32Array(rows * columns);
  for (let i = 0; i < inputs; i++) {
    for (let j = 0; j < units; j++) {
      kernel[i * units + j] = alpha * weight.values[flipped ? j * inputs + i : i * units + j]!;
    }
  }
  const bias = spread(numbersAt(reading, 2), units)?.map((value) => beta * value);
  return dense(reading, x, { inputs, units, kernel, bias });
}

/** The numbers once for each unit, where there is one for all. */
function spread(values: Float32Array | undefined, units: number): Float32Array | undefined {
  if (!values || values.length === units) return values;
  return new Float32Array(units).fill(values[0]!);
}

function dense(
  { builder }: Reading,
  x: Tensor,
  given: { inputs: number; units: number; kernel: Float32Array; bias?: Float32Array | undefined },
): Tensor {
  const { inputs, units, kernel, bias } = given;
  accept(x.dims.length === 1 && x.dims[0] === inputs, `an input of [${x.dims}], not [${inputs}]`);
  const output = builder.add({ type: 'dense', units }, x.output, { kernel, bias });
  return { output, dims: [units] };
}

/** `[a, b, rows, columns]` → `[rows, columns, b, a]` */
function kernelLast({ dims, values }: Constant): Float32Array {
  const [a, b, rows, columns] = dims as [number, number, number, number];
  const taps = rows * columns;
  const kernel = new Float32Array(values.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let tap = 0; tap < taps; tap++) {
        kernel[(tap * b + j) * a + i] = values[(i * b + j) * taps + tap]!;
      }
    }
  }
  return kernel;
}

const pairOf = (values: readonly number[]): Pair => [values[0] ?? 1, values[1] ?? 1];

function geometry(reading: Reading, x: Tensor, weight: Constant) {
  accept(weight.dims.length === 4 && x.dims.length === 3, `an input of [${x.dims}]`);
  const kernelSize: Pair = [weight.dims[2]!, weight.dims[3]!];
  const strides = pairOf(integers(reading, 'strides'));
  const dilation = pairOf(integers(reading, 'dilations'));
  const [top = 0, left = 0, bottom = 0, right = 0] = integers(reading, 'pads');
  const border = [
    [top, bottom],
    [left, right],
  ] as const;
  const groups = integer(reading, 'group', 1);
  return { kernelSize, strides, dilation, border, groups, bias: numbersAt(reading, 2) };
}

function conv(reading: Reading): Tensor {
  const x = tensorAt(reading, 0);
  const weight = required(reading, 1);
  const given = geometry(reading, x, weight);
  const auto = text(reading, 'auto_pad', 'NOTSET');
  accept(auto !== 'SAME_LOWER', 'auto_pad SAME_LOWER');
  const same = ([0, 1] as const).map((i) =>
    samePadding(
      x.dims[i + 1]!,
      (given.kernelSize[i] - 1) * given.dilation[i] + 1,
      given.strides[i],
    ),
  ) as unknown as Padding2D;
  return imageOf(
    addConvolution(reading.builder, x.output, {
      ...given,
      filters: weight.dims[0]!,
      kernel: kernelLast(weight),
      border: auto === 'SAME_UPPER' ? same : given.border,
    }),
  );
}

function convTranspose(reading: Reading): Tensor {
  const x = tensorAt(reading, 0);
  const weight = required(reading, 1);
  const given = geometry(reading, x, weight);
  accept(text(reading, 'auto_pad', 'NOTSET') === 'NOTSET', 'auto_pad');
  accept(integers(reading, 'output_shape').length === 0, 'output_shape');
  const [extraRows = 0, extraColumns = 0] = integers(reading, 'output_padding');
  const [[top, bottom], [left, right]] = given.border;
  return imageOf(
    addTransposed(reading.builder, x.output, {
      ...given,
      filters: weight.dims[1]! * given.groups,
      kernel: kernelLast(weight),
      border: [
        [top, bottom - extraRows],
        [left, right - extraColumns],
      ],
    }),
  );
}

/** A tensor of an image that is channels last already. */
function imageOf(output: Output): Tensor {
  const [height, width, channels] = output.shape as [number, number, number];
  return { output, dims: [channels, height, width] };
}

const channelsOf = ({ dims }: Tensor): number => dims[0] ?? 1;

function batchNormalization(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  const [gamma, beta, moving_mean, moving_variance] = [1, 2, 3, 4].map((i) =>
    Float32Array.from(required(reading, i).values),
  );
  const epsilon = float(reading, 'epsilon', 1e-5);
  const layer = { type: 'batchNormalization', momentum: 0.9, epsilon } as const;
  const values = { gamma, beta, moving_mean, moving_variance };
  return { output: reading.builder.add(layer, output, values), dims };
}

function groupNormalization(reading: Reading, groups: number): Tensor {
  const x = tensorAt(reading, 0);
  const channels = channelsOf(x);
  const epsilon = float(reading, 'epsilon', 1e-5);
  // Until opset 20 there was one number for each group.
  const each = (i: number) => {
    const values = Float32Array.from(required(reading, i).values);
    const share = channels / values.length;
    return Float32Array.from({ length: channels }, (_, c) => values[Math.floor(c / share)]!);
  };
  const values = { gamma: each(1), beta: each(2) };
  const layer = { type: 'groupNormalization', groups, epsilon } as const;
  return { output: reading.builder.add(layer, x.output, values), dims: x.dims };
}

/** PyTorch writes group normalization as that of instances `[groups, numbers]`, which it scales later. */
function instanceNormalization(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  if (dims.length !== 2) return groupNormalization(reading, dims[0]!);
  const neutral =
    required(reading, 1).values.every((value) => value === 1) &&
    required(reading, 2).values.every((value) => value === 0);
  accept(neutral, `a scale of [${dims}]`);
  const layer = { type: 'layerNormalization', epsilon: float(reading, 'epsilon', 1e-5) } as const;
  return { output: reading.builder.add(layer, output), dims };
}

function layerNormalization(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  const axis = integer(reading, 'axis', -1);
  accept(dims.length === 1 && (axis === -1 || axis === 1), `axis ${axis} of [${dims}]`);
  const layer = { type: 'layerNormalization', epsilon: float(reading, 'epsilon', 1e-5) } as const;
  const values = { gamma: numbersAt(reading, 1), beta: numbersAt(reading, 2) };
  return { output: reading.builder.add(layer, output, values), dims };
}

type Arithmetic = 'add' | 'subtract' | 'multiply' | 'divide';

/** Of two tensors, or of one and constants: one number, or one for each channel. */
const arithmetic =
  (type: Arithmetic): Operator =>
  (reading) => {
    const [a, b] = reading.inputs as [Value, Value];
    if (!isTensor(a) && !isTensor(b)) return CONSTANT_OPERATORS[reading.node.operator]!(reading);
    if (isTensor(a) && isTensor(b)) {
      accept(type !== 'divide', 'a division by a tensor');
      const layer = { type: type as 'add' | 'subtract' | 'multiply' };
      return combined(reading.builder, layer, [a, b]);
    }
    const [x, constant] = isTensor(a) ? [a, b as Constant] : [b as Tensor, a];
    const numbers = Float32Array.from(constant.values);
    accept(isTensor(a) || type !== 'divide', 'a division by a tensor');
    // x + c, x − c, c − x, x · c, x / c as s · x + t.
    const flipped = !isTensor(a) && type === 'subtract';
    const scaleOf = { add: () => 1, subtract: () => (flipped ? -1 : 1) };
    const scales = numbers.map((c) => {
      if (type === 'multiply') return c;
      return type === 'divide' ? 1 / c : scaleOf[type]();
    });
    const shifts = numbers.map((c) => {
      if (type === 'add' || flipped) return c;
      return type === 'subtract' ? -c : 0;
    });
    return affine(reading.builder, x, { scales, shifts, dims: constant.dims });
  };

function affine(
  builder: NetworkBuilder,
  x: Tensor,
  { scales, shifts, dims }: { scales: Float32Array; shifts: Float32Array; dims: readonly number[] },
): Tensor {
  if (scales.length === 1) {
    const layer = { type: 'rescaling', scale: scales[0]!, offset: shifts[0]! } as const;
    return { output: builder.add(layer, x.output), dims: x.dims };
  }
  // [1, channels, 1, 1] or [channels, 1, 1]; of flat numbers [units].
  const axes = x.dims.length;
  const aligned = dims.length > axes ? dims.slice(dims.length - axes) : dims;
  const channels = channelsOf(x);
  const padded = [...Array<number>(axes - aligned.length).fill(1), ...aligned];
  accept(
    padded[0] === channels && scales.length === channels,
    `a constant of [${dims}] with [${x.dims}]`,
  );
  // Statistics that change nothing.
  const layer = { type: 'batchNormalization', momentum: 0.9, epsilon: 1e-12 } as const;
  const output = builder.add(layer, x.output, { gamma: scales, beta: shifts });
  return { output, dims: x.dims };
}

function combined(
  builder: NetworkBuilder,
  layer: { type: 'add' | 'subtract' | 'multiply' | 'maximum' | 'minimum' },
  tensors: readonly Tensor[],
): Tensor {
  const output = builder.add(
    layer,
    tensors.map((tensor) => tensor.output),
  );
  return output.shape.length === 3 ? imageOf(output) : { output, dims: output.shape };
}

const combination =
  (type: 'maximum' | 'minimum' | 'add'): Operator =>
  (reading) =>
    combined(
      reading.builder,
      { type },
      reading.inputs.map((_, i) => tensorAt(reading, i)),
    );

function concat(reading: Reading): Value {
  if (reading.inputs.every((value) => value && !isTensor(value))) {
    return CONSTANT_OPERATORS.Concat!(reading);
  }
  const tensors = reading.inputs.map((_, i) => tensorAt(reading, i));
  const axis = integer(reading, 'axis', 1);
  const axes = tensors[0]!.dims.length + 1;
  accept(axis === 1 || axis === 1 - axes, `axis ${axis}`);
  const output = reading.builder.add(
    { type: 'concatenate' },
    tensors.map((tensor) => tensor.output),
  );
  return output.shape.length === 3 ? imageOf(output) : { output, dims: output.shape };
}

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
  const doubled = height === 2 * fromHeight && width === 2 * fromWidth;
  if (method === 'nearest' && doubled) {
    return imageOf(reading.builder.add({ type: 'upSampling2d' }, x.output));
  }
  const whole = height % fromHeight === 0 && width % fromWidth === 0;
  accept(
    method !== 'nearest' || whole || given === 'asymmetric',
    `nearest neighbours by ${height / fromHeight} of ${given}`,
  );
  // By whole factors all agree on which pixel is the nearest.
  const coordinates = (whole && method === 'nearest' ? 'asymmetric' : given) as Coordinates;
  const layer = { type: 'resize', height, width, method: method!, coordinates } as const;
  return imageOf(reading.builder.add(layer, x.output));
}

const COORDINATES = new Set(['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel']);

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

/** Each output pixel is one channel of an input pixel: a transposed convolution of ones and zeros. */
function depthToSpace(reading: Reading): Tensor {
  const x = tensorAt(reading, 0);
  const size = integer(reading, 'blocksize', 1);
  const columnsFirst = text(reading, 'mode', 'DCR') === 'CRD';
  const channels = channelsOf(x);
  const filters = channels / size ** 2;
  const kernel = new Float32Array(size ** 2 * filters * channels);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      for (let f = 0; f < filters; f++) {
        const block = i * size + j;
        const channel = columnsFirst ? f * size ** 2 + block : block * filters + f;
        kernel[(block * filters + f) * channels + channel] = 1;
      }
    }
  }
  const pair: Pair = [size, size];
  const border: Padding2D = [
    [0, 0],
    [0, 0],
  ];
  const geometryOfIt = {
    kernelSize: pair,
    strides: pair,
    dilation: [1, 1],
    groups: 1,
    border,
  } as const;
  return imageOf(
    addTransposed(reading.builder, x.output, { ...geometryOfIt, filters, kernel, bias: undefined }),
  );
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

function clip(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  const low = numbersAt(reading, 1)?.[0] ?? -3.4e38;
  const high = numbersAt(reading, 2)?.[0] ?? 3.4e38;
  return {
    output: reading.builder.add({ type: 'elementwise', function: 'clip', low, high }, output),
    dims,
  };
}

function pRelu(reading: Reading): Tensor {
  const { output, dims } = tensorAt(reading, 0);
  const alpha = Float32Array.from(required(reading, 1).values);
  accept(
    alpha.length === 1 || alpha.length === dims[0],
    `slopes of [${required(reading, 1).dims}]`,
  );
  const shape = [...(dims.length === 3 ? [1, 1] : []), alpha.length];
  return { output: reading.builder.add({ type: 'pRelu', shape }, output, { alpha }), dims };
}

export const OPERATORS: Readonly<Record<string, Operator | undefined>> = {
  ...CONSTANT_OPERATORS,
  Gemm: gemm,
  MatMul(reading) {
    const { dims, values } = required(reading, 1);
    const [inputs, units] = dims as [number, number];
    return dense(reading, tensorAt(reading, 0), {
      inputs,
      units,
      kernel: Float32Array.from(values),
    });
  },
  Conv: conv,
  ConvTranspose: convTranspose,
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: (reading) => groupNormalization(reading, integer(reading, 'num_groups', 1)),
  LayerNormalization: layerNormalization,
  Relu: same(() => ({ type: 'activation', activation: 'relu' })),
  Tanh: same(() => ({ type: 'activation', activation: 'tanh' })),
  Sigmoid: same(() => ({ type: 'activation', activation: 'sigmoid' })),
  LeakyRelu: same((reading) => ({ type: 'leakyRelu', alpha: float(reading, 'alpha', 0.01) })),
  Elu: same((reading) => ({
    type: 'elementwise',
    function: 'elu',
    alpha: float(reading, 'alpha', 1),
  })),
  HardSigmoid: same((reading) => ({
    ...{ type: 'elementwise', function: 'hardSigmoid' },
    ...{ slope: float(reading, 'alpha', 0.2), offset: float(reading, 'beta', 0.5) },
  })),
  Gelu: same((reading) => ({
    type: 'elementwise',
    function: text(reading, 'approximate', 'none') === 'tanh' ? 'geluTanh' : 'gelu',
  })),
  Selu: elementwise('selu'),
  Softplus: elementwise('softplus'),
  Softsign: elementwise('softsign'),
  HardSwish: elementwise('hardSilu'),
  Mish: elementwise('mish'),
  Exp: elementwise('exp'),
  Erf: elementwise('erf'),
  Neg: same(() => ({ type: 'rescaling', scale: -1, offset: 0 })),
  Clip: clip,
  PRelu: pRelu,
  Add: arithmetic('add'),
  Sub: arithmetic('subtract'),
  Mul: arithmetic('multiply'),
  Div: arithmetic('divide'),
  Sum: combination('add'),
  Max: combination('maximum'),
  Min: combination('minimum'),
  Concat: concat,
  Reshape: reshape,
  Flatten(reading) {
    const x = tensorAt(reading, 0);
    accept(integer(reading, 'axis', 1) === 1, 'an axis that is not 1');
    return reshaped(reading.builder, x, [product(x.dims)]);
  },
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose(reading) {
    const [batch, ...perm] = integers(reading, 'perm');
    accept(batch === 0, 'the batch axis moved');
    return transpose(
      reading.builder,
      tensorAt(reading, 0),
      perm.map((axis) => axis - 1),
    );
  },
  Resize: resize,
  Upsample: resize,
  Pad: pad,
  DepthToSpace: depthToSpace,
  Gather: gather,
  Identity: pass,
  Dropout: pass,
  Cast: pass,
};

function accept(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(`${otherwise} is not known here`);
}
