/**
 * Layers that move, repeat and cut pixels, or give numbers another shape.
 *
 * @module
 */
import { z } from 'zod';
import { product } from '../../networks/layers.ts';
import type { Output } from '../../networks/network-builder.ts';
import type { Padding2D } from '../../networks/served-layers.ts';
import { accept, channelsLast, pairSchema, parse, type Readers, resized, size } from './reading.ts';

export const PLACEMENT_READERS: Readers = {
  UpSampling2D: {
    read(config, { builder, inputs, dialect }) {
      const [x] = inputs as [Output];
      const schema = z.looseObject({
        size: pairSchema.default([2, 2]),
        data_format: z.string().nullish(),
        interpolation: z.string().default('nearest'),
      });
      const { size: factors, data_format, interpolation } = parse(schema, config);
      channelsLast(data_format);
      if (interpolation === 'nearest' && factors[0] === factors[1]) {
        const doublings = Math.log2(factors[0]);
        if (Number.isInteger(doublings)) {
          return Array.from({ length: doublings }).reduce<Output>(
            (y) => builder.add({ type: 'upSampling2d' }, y),
            x,
          );
        }
      }
      const [height = 1, width = 1] = x.shape;
      const coordinates = dialect === 'tfjs' ? 'asymmetric' : 'half_pixel';
      const resizedTo = { height: height * factors[0], width: width * factors[1] };
      return resized(builder, x, { ...resizedTo, interpolation, coordinates });
    },
  },
  Resizing: {
    read(config, { builder, inputs, dialect }) {
      const schema = z.looseObject({
        ...{ height: size, width: size, interpolation: z.string().default('bilinear') },
        crop_to_aspect_ratio: z.boolean().default(false),
        pad_to_aspect_ratio: z.boolean().default(false),
      });
      const { height, width, interpolation, ...rest } = parse(schema, config);
      accept(!rest.crop_to_aspect_ratio && !rest.pad_to_aspect_ratio, 'a kept aspect ratio');
      // In tfjs 4.22 it fails in every model.
      accept(dialect !== 'tfjs', 'tfjs cannot run it');
      return resized(builder, inputs[0]!, {
        ...{ height, width, interpolation, coordinates: 'half_pixel' },
      });
    },
  },
  ZeroPadding2D: {
    read(config, { builder, inputs }) {
      return builder.add({ type: 'zeroPadding2d', padding: sides(config.padding, 1) }, inputs[0]!);
    },
  },
  Cropping2D: {
    read(config, { builder, inputs }) {
      return builder.add({ type: 'cropping2d', cropping: sides(config.cropping, 0) }, inputs[0]!);
    },
  },
  Reshape: {
    read(config, { builder, inputs }) {
      const [x] = inputs as [Output];
      const schema = z.looseObject({ target_shape: z.array(z.number()) });
      const { target_shape: shape } = parse(schema, config);
      const known = product(shape.filter((length) => length !== -1));
      const open = product(x.shape) / known;
      const target = shape.map((n) => (n === -1 ? open : n));
      accept(
        product(target) === product(x.shape) && target.every((n) => n > 0),
        `target_shape [${shape}] of ${product(x.shape)} numbers`,
      );
      return builder.reshape(x, target);
    },
  },
  Flatten: {
    read: (_, { builder, inputs }) => builder.reshape(inputs[0]!, [product(inputs[0]!.shape)]),
  },
  Permute: {
    read(config, { builder, inputs }) {
      const { dims } = parse(z.looseObject({ dims: z.array(size) }), config);
      return builder.add({ type: 'permute', axes: dims.map((axis) => axis - 1) }, inputs[0]!);
    },
  },
  RepeatVector: {
    read(config, { builder, inputs }) {
      const { n } = parse(z.looseObject({ n: size }), config);
      const [x] = inputs as [Output];
      const row = builder.reshape(x, [1, 1, product(x.shape)]);
      const [, , channels] = row.shape as [number, number, number];
      const repeated = resized(builder, row, {
        ...{ height: 1, width: n, interpolation: 'nearest', coordinates: 'half_pixel' },
      });
      return builder.reshape(repeated, [n, channels]);
    },
  },
};

const sidesSchema = z.union([
  z.number().transform(
    (n): Padding2D => [
      [n, n],
      [n, n],
    ],
  ),
  z.tuple([pairSchema, pairSchema]),
]);

function sides(value: unknown, otherwise: number): Padding2D {
  return parse(
    sidesSchema.default([
      [otherwise, otherwise],
      [otherwise, otherwise],
    ]),
    value,
  );
}
