import { z } from 'zod';
import type { Output } from '../../networks/network-builder.ts';
import { activationLayers } from '../activations.ts';
import { accept, kernelAndBias, parse, type Readers, size, withActivation } from './reading.ts';

const denseSchema = z.looseObject({
  units: size,
  activation: z.unknown().optional(),
  use_bias: z.boolean().default(true),
});

export const DENSE_READERS: Readers = {
  Dense: {
    variables: kernelAndBias,
    read(config, reading) {
      const { builder, take } = reading;
      const [x] = reading.inputs as [Output];
      const { units, activation: after, use_bias } = parse(denseSchema, config);
      const inputs = x.shape.at(-1)!;
      const values = {
        kernel: take('kernel', [inputs, units]),
        bias: use_bias ? take('bias', [units]) : undefined,
      };
      // At each place by itself, as Keras does it, that is a convolution of one pixel.
      const image = [...Array(3 - x.shape.length).fill(1), ...x.shape] as number[];
      if (x.shape.length > 1) {
        const layer = { type: 'conv2d', filters: units, kernelSize: 1, strides: 1 } as const;
        const made = builder.add(layer, builder.reshape(x, image), values);
        return withActivation(
          reading,
          builder.reshape(made, [...x.shape.slice(0, -1), units]),
          after,
        );
      }
      const [next, ...others] = activationLayers(after, reading.dialect === 'keras3');
      const inside = next?.type === 'activation' ? { activation: next.activation } : {};
      const made = builder.add({ type: 'dense', units, ...inside }, x, values);
      const rest = next && next.type !== 'activation' ? [next, ...others] : others;
      return rest.reduce((y, layer) => builder.add(layer, y), made);
    },
  },
  Embedding: {
    variables: () => [{ name: 'embeddings', trainable: true }],
    read(config, { builder, inputs, take }) {
      const { input_dim, output_dim } = parse(
        z.looseObject({ input_dim: size, output_dim: size }),
        config,
      );
      const [x] = inputs as [Output];
      accept(x.shape.join() === `${input_dim}`, 'an input that is no class');
      const kernel = take('embeddings', [input_dim, output_dim]);
      const made = builder.add({ type: 'dense', units: output_dim }, x, { kernel });
      return builder.reshape(made, [1, output_dim]);
    },
  },
};
