/**
 * Our networks as Keras model configurations.
 *
 * @module
 */
import type { Layer } from '../networks/layers.ts';
import type { Network, PlacedLayer } from '../networks/network.ts';

/**
 * - `keras2`: what Keras 2 and tfjs-layers wrote and read; Keras 3 reads it in `.h5` files.
 * - `keras3`: what is inside a `.keras` file.
 */
export type Dialect = 'keras2' | 'keras3';

export interface KerasObject {
  class_name: string;
  config: Readonly<Record<string, unknown>>;
  module?: string;
  registered_name?: null;
}

/** Whether Keras has every layer of a network, so that it can be written as Keras's own. */
export function hasKerasLayers({ layers }: Network): boolean {
  return layers.every(({ layer }) => layer.type !== 'minibatchDeviation');
}

/**
 * The network as a `Sequential`. The InputLayer is explicit, because Keras 3 adds another axis to
 * the `batch_input_shape` of a first layer.
 */
export function sequentialConfig(network: Network, dialect: Dialect): KerasObject {
  const { name, inputShape, layers } = network;
  const shapeKey = dialect === 'keras3' ? 'batch_shape' : 'batch_input_shape';
  const input = {
    name: `${name}_input`,
    [shapeKey]: [null, ...inputShape],
    dtype: 'float32',
    sparse: false,
  };
  return object(dialect, 'keras', 'Sequential', {
    name,
    layers: [
      object(dialect, 'keras.layers', 'InputLayer', input),
      ...layers.map((placed) => layerConfig(placed, dialect)),
    ],
  });
}

function object(
  dialect: Dialect,
  module: string,
  className: string,
  config: Record<string, unknown>,
): KerasObject {
  const plain = { class_name: className, config };
  return dialect === 'keras2' ? plain : { module, ...plain, registered_name: null };
}

function layerConfig({ name, layer }: PlacedLayer, dialect: Dialect): KerasObject {
  const [className, config] = classAndArguments(layer, dialect);
  const common = { name, trainable: true, dtype: 'float32' };
  return object(dialect, 'keras.layers', className, { ...common, ...config });
}

function classAndArguments(
  layer: Layer,
  dialect: Dialect,
): [className: string, config: Record<string, unknown>] {
  switch (layer.type) {
    case 'dense':
      return [
        'Dense',
        { units: layer.units, activation: layer.activation ?? 'linear', use_bias: true },
      ];
    case 'reshape':
      return ['Reshape', { target_shape: layer.shape }];
    case 'flatten':
      return ['Flatten', { data_format: 'channels_last' }];
    case 'conv2d':
      return ['Conv2D', { ...convolutionArguments(layer), dilation_rate: [1, 1] }];
    case 'conv2dTranspose':
      return ['Conv2DTranspose', convolutionArguments(layer)];
    case 'upSampling2d':
      return [
        'UpSampling2D',
        { size: [2, 2], data_format: 'channels_last', interpolation: 'nearest' },
      ];
    case 'zeroPadding2d':
      return ['ZeroPadding2D', { padding: layer.padding, data_format: 'channels_last' }];
    case 'batchNormalization': {
      const { momentum, epsilon } = layer;
      return ['BatchNormalization', { axis: -1, momentum, epsilon, center: true, scale: true }];
    }
    case 'activation':
      return ['Activation', { activation: layer.activation }];
    case 'leakyRelu':
      return ['LeakyReLU', { [dialect === 'keras3' ? 'negative_slope' : 'alpha']: layer.alpha }];
    case 'dropout':
      return ['Dropout', { rate: layer.rate, noise_shape: null, seed: null }];
    default:
      throw new Error(`${layer.type} is not written for Keras`);
  }
}

function convolutionArguments({
  filters,
  kernelSize,
  strides,
}: Extract<Layer, { type: 'conv2d' | 'conv2dTranspose' }>): Record<string, unknown> {
  return {
    filters,
    kernel_size: [kernelSize, kernelSize],
    strides: [strides, strides],
    padding: 'same',
    data_format: 'channels_last',
    activation: 'linear',
    use_bias: true,
  };
}
