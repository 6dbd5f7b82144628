/**
 * The training steps that are measured and checked: that of `article`, and those that `lite` takes.
 *
 * @module
 */
import type { Dataset } from '@killme/data';
import { type Layer, type Network, sequential } from '@killme/model';
import {
  type ImageSize,
  type Methods,
  type Preset,
  type PresetName,
  presetByName,
  withMethods,
} from '@killme/model/training';
import { noiseDataset } from './noise-dataset.ts';

export interface StepCase {
  name: string;
  preset: Preset;
  dataset: Dataset;
  /** Of every so many iterations one is of this kind, the first of all among them. */
  every: number;
  /** Whether an iteration is of this kind. */
  includes(iteration: number): boolean;
  /** Steps that G has taken before: those of the warm-up. */
  generatorSteps: number;
}

/** How many times fewer channels the narrow networks have, and how many times smaller images. */
const NARROWER = 16;
const SMALLER = 4;

const CLASSES = ['a', 'b', 'c', 'd'];

/** Which networks and images are measured. */
export interface CaseSize {
  /** Networks with next to no arithmetic, to see the host's part alone. */
  narrow: boolean;
  /** Of the preset, before it is narrowed. */
  imageSize?: ImageSize | undefined;
}

/**
 * A preset and images of noise for it; lite has four classes.
 * @param change what of lite's methods is changed.
 * @throws UserError when the preset has no images of that size.
 */
export function stepCase(
  name: PresetName,
  { narrow, imageSize }: CaseSize,
  change: Partial<Methods> = {},
): Pick<StepCase, 'preset' | 'dataset'> {
  const base = presetByName(name, imageSize);
  const narrowed = (preset: Preset) => (narrow ? narrowPreset(preset) : preset);
  const { methods } = base.training;
  const noise = noiseDataset(narrow ? base.imageSize / SMALLER : base.imageSize);
  if (!methods) return { preset: narrowed(base), dataset: noise };
  const labels = noise.labels.map((_, i) => i % CLASSES.length);
  const counts = CLASSES.map(() => noise.count / CLASSES.length);
  return {
    preset: narrowed(withMethods(base, { ...methods, ...change }, counts)),
    dataset: { ...noise, classes: CLASSES, labels },
  };
}

/** @throws UserError when the preset has no images of that size. */
export function stepCases(name: PresetName, size: CaseSize): StepCase[] {
  const all = { every: 1, includes: () => true, generatorSteps: 0 };
  if (!presetByName(name).training.methods) return [{ name, ...stepCase(name, size), ...all }];
  // Without a warm-up there were no mapping network, and the encoder would learn on.
  const afterWarmUp = { ...stepCase(name, size, { warmUp: 1 }), every: 4, generatorSteps: 1 };
  const penalty = (iteration: number) => iteration % 4 === 0;
  return [
    { name: `${name}, warm-up`, ...stepCase(name, size, { warmUp: 1e9 }), ...all },
    { name: `${name}, with D`, ...afterWarmUp, includes: (i) => !penalty(i) },
    { name: `${name}, with D and penalty`, ...afterWarmUp, includes: penalty },
  ];
}

function narrowPreset(preset: Preset): Preset {
  const { generator, discriminator, encoder } = preset;
  return {
    ...preset,
    imageSize: preset.imageSize / SMALLER,
    generator: narrowNetwork(generator),
    discriminator: narrowNetwork(discriminator),
    encoder: encoder && narrowNetwork(encoder),
  };
}

/** The same layers with fewer channels, for smaller images. */
function narrowNetwork(network: Network): Network {
  const { name, inputShape, layers, weights } = network;
  const fewer = (count: number) => Math.max(1, Math.ceil(count / NARROWER));
  const narrowLayer = (layer: Layer, next: Layer | undefined): Layer => {
    if (layer.type === 'conv2d' && layer.filters > 3) {
      return { ...layer, filters: fewer(layer.filters) };
    }
    if (layer.type === 'reshape') {
      const [height, width, channels] = layer.shape as [number, number, number];
      return { ...layer, shape: [height / SMALLER, width / SMALLER, fewer(channels)] };
    }
    if (layer.type === 'dense' && next?.type === 'reshape') {
      const [height, width, channels] = next.shape as [number, number, number];
      return { ...layer, units: (height / SMALLER) * (width / SMALLER) * fewer(channels) };
    }
    return layer;
  };
  const narrow = layers.map(({ layer }, i) => narrowLayer(layer, layers[i + 1]?.layer));
  const [height, width, channels] = inputShape;
  const shape = width ? [height! / SMALLER, width / SMALLER, channels!] : inputShape;
  const result = sequential(name, shape, narrow);
  const own = new Set(layers.flatMap((placed) => placed.weights.map((spec) => spec.name)));
  const extra = weights.filter((spec) => !own.has(spec.name)); // the encoder's whitening
  return { ...result, weights: [...result.weights, ...extra] };
}
