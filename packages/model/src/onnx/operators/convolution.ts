import { addConvolution, addTransposed, samePadding } from '../../networks/geometry.ts';
import type { Padding2D, Pair } from '../../networks/served-layers.ts';
import type { Constant } from '../model.ts';
import type { Tensor } from '../values.ts';
import {
  accept,
  channelsOf,
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

export const CONVOLUTION_OPERATORS: Operators = {
  Conv: conv,
  ConvTranspose: convTranspose,
  DepthToSpace: depthToSpace,
};
