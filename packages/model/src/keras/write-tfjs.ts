import { strToU8 } from 'fflate';
import { cutShards } from '../generator-file/shards.ts';
import type { Network } from '../networks/network.ts';
import type { WeightValues } from './write.ts';
import { sequentialConfig } from './write-config.ts';

/**
 * The network as a tfjs layers model, for `tf.loadLayersModel('…/model.json')`.
 * @returns the files of its folder by name: `model.json` and shards.
 */
export function writeTfjsModel(network: Network, weights: WeightValues): Map<string, Uint8Array> {
  const chunks = network.weights.map(({ name }) => {
    const values = weights.get(name);
    if (!values) throw new Error(`the weight ${name} is missing`);
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  });
  const shards = cutShards(chunks);
  const files = new Map<string, Uint8Array>(
    shards.map((bytes, i) => [`group1-shard${i + 1}of${shards.length}.bin`, bytes]),
  );
  const model = {
    format: 'layers-model',
    generatedBy: 'killme',
    convertedBy: null,
    modelTopology: {
      keras_version: '2.2.4',
      backend: 'tensorflow',
      model_config: sequentialConfig(network, 'keras2'),
    },
    weightsManifest: [
      {
        paths: [...files.keys()],
        weights: network.weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
      },
    ],
  };
  return files.set('model.json', strToU8(JSON.stringify(model)));
}
