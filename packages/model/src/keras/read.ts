/**
 * Generators that Keras has trained.
 *
 * @module
 */
import { TANH_RANGE, type ValueRange } from '../image.ts';
import { type Layer, outputShape, product } from '../networks/layers.ts';
import { type Network, sequential } from '../networks/network.ts';
import { UserError } from '../user-error.ts';
import { type KerasChain, type KerasLayer, parseChain } from './chain.ts';
import { type KerasFile, openKerasFile } from './open.ts';
import { type ConvertedLayer, convertLayer } from './read-layer.ts';
import {
  type Owner,
  readKeras3Weights,
  readLegacyWeights,
  type StoredWeights,
} from './stored-weights.ts';
import { sequentialConfig } from './write-config.ts';

/** A generator out of a Keras file. */
export interface KerasGenerator {
  network: Network;
  weights: Map<string, Float32Array>;
  /** What black and white are in its images. */
  range: ValueRange;
  /** The version of Keras that wrote the file, where it says. */
  kerasVersion: string | undefined;
  /** What a person should know about it, a line each. */
  notes: string[];
}

/** A Keras layer, what it became, and where in our network that begins. */
interface Conversion extends Owner, ConvertedLayer {
  layer: KerasLayer;
  start: number;
}

/**
 * Reads a generator: a whole-model `.h5` of Keras 1 to 3, a `.keras` archive, or, with an
 * architecture given, a file of weights alone.
 *
 * @param options.file what the file is called in messages
 * @param options.architecture the network that a file of weights alone is of.
 * @throws UserError in one line: what is wrong, and in which layers.
 */
export async function readKerasGenerator(
  bytes: Uint8Array,
  { file, architecture }: { file: string; architecture?: Network },
): Promise<KerasGenerator> {
  const opened = await openKerasFile(bytes, file);
  const config = opened.config ?? (architecture && sequentialConfig(architecture, 'keras3'));
  if (config === undefined) {
    throw new UserError(
      `${file} holds weights alone: save the whole model, or say with --preset what they are of`,
    );
  }
  const chain = parseChain(config, file);
  if (chain.inputShape.length !== 1) {
    throw new UserError(
      `${file} takes [${chain.inputShape.join(', ')}], not a latent vector: is it a discriminator?`,
    );
  }
  const conversions = convertLayers(chain, file);
  const layers = conversions.flatMap((conversion) => conversion.layers);
  const network = sequential('generator', chain.inputShape, layers);
  checkImage(network, file);
  const weights = takeWeights({
    network,
    conversions,
    stored: stored(opened, conversions, file),
    file,
  });
  return { network, weights, ...rangeOf(network, file), kerasVersion: opened.kerasVersion };
}

function convertLayers({ inputShape, layers }: KerasChain, file: string): Conversion[] {
  const conversions: Conversion[] = [];
  const problems: string[] = [];
  const before: Layer[] = [];
  let shape = inputShape;
  for (const layer of layers) {
    try {
      const converted = convertLayer(layer, shape);
      conversions.push({ layer, ...converted, start: before.length });
      for (const next of converted.layers) {
        // Behind a layer that was refused neither shape nor place says anything.
        if (problems.length === 0) {
          const reason = reasonAgainst(next, before);
          if (reason) throw new Error(reason);
          shape = outputShape(next, shape);
        }
        before.push(next);
      }
    } catch (error) {
      problems.push(`${layer.name} (${layer.className}): ${(error as Error).message}`);
    }
  }
  if (problems.length === 0) return conversions;
  throw new UserError(`${file} has layers that are not known here: ${problems.join('; ')}`);
}

/** Why the inference graph cannot have a layer at its place. */
function reasonAgainst(layer: Layer, before: readonly Layer[]): string | undefined {
  const drawn = before.some(({ type }) => /^(conv2d|conv2dTranspose|upSampling2d)$/.test(type));
  if (before.length === 0) {
    return layer.type === 'dense' ? undefined : 'a generator must begin with Dense';
  }
  if (layer.type === 'dense') return 'only the first layer may be Dense';
  if (layer.type === 'flatten') return 'an image cannot become flat again';
  if (layer.type === 'reshape' && drawn) return 'a Reshape after upsampling or convolution';
  return undefined;
}

function checkImage({ outputShape: shape }: Network, file: string): void {
  if (shape.length === 3 && [1, 3, 4].includes(shape[2]!)) return;
  throw new UserError(
    `${file} makes [${shape.join(', ')}], not images [height, width, 1, 3 or 4 channels]`,
  );
}

function stored(opened: KerasFile, owners: readonly Conversion[], file: string): StoredWeights {
  if (opened.layout === 'legacy') return readLegacyWeights(opened.weights, owners, file);
  return readKeras3Weights(opened.weights, owners, file);
}

function takeWeights({
  network,
  conversions,
  stored,
  file,
}: {
  network: Network;
  conversions: readonly Conversion[];
  stored: StoredWeights;
  file: string;
}): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  for (const conversion of conversions) {
    const { layer, variables, start } = conversion;
    for (const { name, shape, initializer } of network.layers[start]?.weights ?? []) {
      const local = name.slice(name.indexOf('/') + 1);
      const index = variables.findIndex((variable) => variable.name === local);
      const dataset = stored.get(conversion)?.[index];
      // A layer without bias, centre or scale: the number that changes nothing.
      const neutral = new Float32Array(product(shape)).fill(initializer === 'ones' ? 1 : 0);
      if (index < 0) weights.set(name, neutral);
      if (index < 0 || !dataset) continue;
      if (dataset.shape.join() !== shape.join()) {
        throw new UserError(
          `${file}: the weight ${layer.name}/${local} has shape [${dataset.shape.join(', ')}], ` +
            `its layer takes [${shape.join(', ')}]`,
        );
      }
      if (!dataset.values.every(Number.isFinite)) {
        throw new UserError(
          `${file}: the weight ${layer.name}/${local} has numbers that are not finite`,
        );
      }
      weights.set(name, dataset.values);
    }
  }
  return weights;
}

/** What the last layer says of the values of images: black and white, and a line for a person. */
function rangeOf({ layers }: Network, file: string): Pick<KerasGenerator, 'range' | 'notes'> {
  const last = layers.at(-1)!.layer;
  const ending = last.type === 'activation' || last.type === 'dense' ? last.activation : undefined;
  if (ending === 'tanh') return { range: TANH_RANGE, notes: [] };
  if (ending === 'sigmoid') {
    return {
      range: [0, 1],
      notes: [`${file} ends with a sigmoid: its images are taken as 0 to 1`],
    };
  }
  const note = `${file} does not end with tanh: what lies outside [-1, 1] is cut off`;
  return { range: TANH_RANGE, notes: [note] };
}
