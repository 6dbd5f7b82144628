import '@tensorflow/tfjs';
import * as tfl from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  articleDiscriminator,
  articleGenerator,
  countParameters,
  type Layer,
  liteDiscriminator,
  liteEncoder,
  liteGenerator,
  type Network,
  sequential,
  summarize,
} from '../index.ts';

/** The same network in tfjs-layers, whose own count and shapes ours are held against. */
function inTfjsLayers({ layers, inputShape }: Network): tfl.Sequential {
  const model = tfl.sequential();
  layers.forEach(({ layer }, i) => {
    const first = i === 0 ? { inputShape: [...inputShape] } : {};
    model.add(tfjsLayer(layer, first));
  });
  return model;
}

function tfjsLayer(layer: Layer, first: { inputShape?: number[] }): tfl.layers.Layer {
  const { layers } = tfl;
  switch (layer.type) {
    case 'dense':
      return layers.dense({ ...first, units: layer.units });
    case 'reshape':
      return layers.reshape({ ...first, targetShape: [...layer.shape] });
    case 'flatten':
      return layers.flatten({ ...first });
    case 'conv2d':
      return layers.conv2d({ ...first, ...layer, padding: 'same' });
    case 'conv2dTranspose':
      return layers.conv2dTranspose({ ...first, ...layer, padding: 'same' });
    case 'upSampling2d':
      return layers.upSampling2d({ ...first });
    case 'zeroPadding2d': {
      const [[top, bottom], [left, right]] = layer.padding;
      const padding: [[number, number], [number, number]] = [
        [top, bottom],
        [left, right],
      ];
      return layers.zeroPadding2d({ ...first, padding });
    }
    case 'batchNormalization':
      return layers.batchNormalization({ ...first });
    case 'activation':
      return layers.activation({ ...first, activation: layer.activation });
    case 'leakyRelu':
      return layers.leakyReLU({ ...first, alpha: layer.alpha });
    case 'dropout':
      return layers.dropout({ ...first, rate: layer.rate });
    default:
      throw new Error(`${layer.type} is not compared`);
  }
}

describe('the article’s networks', () => {
  it('have the parameters that Keras counts', () => {
    expect(countParameters(articleGenerator())).toEqual({
      total: 13_462_659,
      trainable: 13_462_019,
    });
    expect(countParameters(articleDiscriminator())).toEqual({ total: 463_169, trainable: 462_785 });
  });

  it.each([articleGenerator(), articleDiscriminator()])(
    'are in $name layer by layer what tfjs-layers builds',
    (network) => {
      const model = inTfjsLayers(network);
      expect(network.layers.map((placed) => [null, ...placed.outputShape])).toEqual(
        model.layers.map((layer) => layer.outputShape),
      );
      expect(countParameters(network).total).toBe(model.countParams());
      model.dispose();
    },
  );

  it('print a summary that ends with the totals', () => {
    expect(summarize(articleGenerator()).split('\n').at(-1)).toBe(
      'total 13,462,659 parameters, 13,462,019 trainable, 640 not',
    );
    expect(summarize(articleDiscriminator())).toMatch(
      /\nconv2d_1 \(conv2d\) +\[batch, 32, 32, 64\] +18,496\n/,
    );
  });
});

/** Sides and channels of the images between the layers, each once. */
const imagesIn = ({ layers }: Network) => [
  ...new Set(
    layers
      .map(({ outputShape: [side, , channels] }) => channels && `${side}×${side}: ${channels}`)
      .filter((image) => image !== undefined),
  ),
];

describe('the networks of preset lite', () => {
  it.each([
    [64, 866_787],
    [128, 871_043],
    [256, 872_019],
  ])('have the blocks of images of %i pixels', (imageSize, parameters) => {
    const doublings = [8, 16, 32, 64, 128, 256].filter((side) => side <= imageSize);
    const generator = liteGenerator({ imageSize });
    expect(generator.outputShape).toEqual([imageSize, imageSize, 3]);
    expect(generator.layers.filter(({ layer }) => layer.type === 'upSampling2d')).toHaveLength(
      doublings.length,
    );
    expect(countParameters(generator).total).toBe(parameters);
    const model = inTfjsLayers(generator);
    expect(parameters).toBe(model.countParams());
    model.dispose();
  });

  it('have as many channels at one side, whatever the size of the images', () => {
    const judged = (imageSize: number) =>
      imagesIn(liteDiscriminator({ imageSize, minibatchDeviation: false, classes: 1 }));
    expect(judged(64)).toEqual(['32×32: 48', '16×16: 96', '8×8: 160', '4×4: 256']);
    expect(judged(128)).toEqual(['64×64: 24', ...judged(64)]);
    expect(judged(256)).toEqual(['128×128: 12', ...judged(128)]);
    const encoded = (imageSize: number) => imagesIn(liteEncoder({ imageSize, components: 100 }));
    expect(encoded(64)).toEqual(['32×32: 32', '16×16: 64', '8×8: 96', '4×4: 128']);
    expect(encoded(128)).toEqual(['64×64: 16', ...encoded(64)]);
    expect(encoded(256)).toEqual(['128×128: 8', ...encoded(128)]);
    expect(imagesIn(liteGenerator({ imageSize: 256 }))).toEqual(
      expect.arrayContaining(['64×64: 32', '128×128: 16', '256×256: 8', '256×256: 3']),
    );
  });
});

describe('sequential', () => {
  it('names the layer that cannot take its input', () => {
    const layers: Layer[] = [{ type: 'dense', units: 10 }];
    expect(() => sequential('net', [8, 8, 3], layers)).toThrow(
      'layer dense takes a flat input, not [8, 8, 3]',
    );
  });
});
