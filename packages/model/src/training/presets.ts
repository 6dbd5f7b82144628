import type { LatentSpace } from '../latents/latent.ts';
import { articleDiscriminator, liteDiscriminator } from '../networks/discriminator.ts';
import { liteEncoder, withWhitening } from '../networks/encoder.ts';
import { articleGenerator, liteGenerator } from '../networks/generator.ts';
import type { Network } from '../networks/network.ts';
import { UserError } from '../user-error.ts';
import type { Methods } from './methods.ts';

/** The presets by name. */
export const PRESET_NAMES = ['article', 'lite'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Sides of the images that preset `lite` can have, in pixels. */
export const IMAGE_SIZES = [64, 128, 256] as const;
export type ImageSize = (typeof IMAGE_SIZES)[number];

/** Everything that makes one kind of GAN: its networks, its latents, and how it is trained. */
export interface Preset {
  name: PresetName;
  latent: LatentSpace;
  /** Side of the square images, in pixels. */
  imageSize: number;
  generator: Network;
  discriminator: Network;
  /** Encodes real images as latents, where the reconstruction loss has a weight. */
  encoder?: Network | undefined;
  training: Training;
}

/** How a preset is trained. */
export type Training = {
  batchSize: number;
  iterations: number;
  /** Iterations between grids and strips. */
  sampleEvery: number;
  /** Iterations between checkpoints. */
  saveEvery: number;
  /** Adam; each network has a state of its own. */
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
} & Step;

/** Which training step, and what it needs to know. */
export type Step = { step: 'article'; methods?: undefined } | { step: 'lite'; methods: Methods };

/** The article's GAN; β₂ and ε, which it does not give, are the defaults of its Keras. */
const article: Preset = {
  name: 'article',
  latent: { size: 100, distribution: 'uniform' },
  imageSize: 128,
  generator: articleGenerator(),
  discriminator: articleDiscriminator(),
  training: {
    step: 'article',
    batchSize: 32,
    iterations: 200_000,
    sampleEvery: 1_000,
    saveEvery: 1_000,
    learningRate: 2e-4,
    beta1: 0.5,
    beta2: 0.999,
    epsilon: 1e-7,
  },
};

/** The defaults of {@link lite}; docs/ablation.csv has what each is worth. */
const LITE_METHODS: Methods = {
  loss: 'relativistic',
  gradientPenalty: 1,
  classCondition: true,
  sharedStart: true,
  reconstructionWeight: 100,
  warmUp: 10_000,
  latentWhitening: true,
  mappingSteps: 4_000,
  minibatchDeviation: true,
  updateClipping: true,
  augment: ['translation', 'cutout'],
  emaDecay: 0.998,
};

/** Better pictures from less: see {@link liteGenerator}; a sixth of the article's work an image. */
const liteOf = (imageSize: ImageSize): Preset => ({
  name: 'lite',
  latent: { size: 100, distribution: 'uniform' },
  imageSize,
  generator: liteGenerator({ imageSize }),
  discriminator: liteDiscriminator({ ...LITE_METHODS, imageSize, classes: 1 }),
  training: {
    step: 'lite',
    batchSize: 16,
    iterations: 20_000,
    sampleEvery: 500,
    saveEvery: 500,
    // D's gradients change direction with its opponent: no momentum, and a short memory (R3GAN).
    learningRate: 1e-3,
    beta1: 0,
    beta2: 0.99,
    epsilon: 1e-7,
    methods: LITE_METHODS,
  },
});

/** Iterations of the warm-up, in which G learns with the encoder: 0 where there is none to learn with. */
export const warmUpOf = ({ encoder, training }: Pick<Preset, 'encoder' | 'training'>): number =>
  encoder ? (training.methods?.warmUp ?? 0) : 0;

/** Beyond it the classes would leave too little of a latent to everything else. */
export const MAX_CONDITION_CLASSES = 50;

/**
 * The preset with other methods, and the networks that they ask for.
 * @param classes how many images each class has; with one class only, or with more
 * than half a latent has room for, the GAN is not class-conditional, whatever the methods say.
 */
export function withMethods(
  preset: Preset,
  methods: Methods,
  classes: readonly number[] = [],
): Preset {
  const conditional =
    methods.classCondition && classes.length > 1 && classes.length <= MAX_CONDITION_CLASSES;
  const { imageSize, latent } = preset;
  return {
    ...preset,
    latent: conditional ? { ...latent, classes } : latent,
    generator: hasMapping(methods)
      ? liteGenerator({ latentSize: latent.size, imageSize, mapping: true })
      : preset.generator,
    discriminator: liteDiscriminator({
      ...methods,
      imageSize,
      classes: conditional ? classes.length : 1,
    }),
    encoder: encoderFor(methods, preset, conditional ? classes.length : 0),
    training: { ...preset.training, step: 'lite', methods },
  };
}

/** Whether G has a mapping network, which learns from the whitened latents of an encoder after the warm-up. */
const hasMapping = (methods: Methods): boolean =>
  methods.mappingSteps > 0 &&
  methods.latentWhitening &&
  methods.reconstructionWeight > 0 &&
  methods.warmUp > 0;

function encoderFor(
  { reconstructionWeight, latentWhitening }: Methods,
  { latent, imageSize }: Pick<Preset, 'latent' | 'imageSize'>,
  conditionClasses: number,
): Network | undefined {
  if (reconstructionWeight === 0) return undefined;
  const encoder = liteEncoder({ components: latent.size - conditionClasses, imageSize });
  return latentWhitening ? withWhitening(encoder, Math.max(1, conditionClasses)) : encoder;
}

/**
 * A preset before a run has chosen its methods.
 * @param imageSize of preset `lite`; the article's GAN has 128 only.
 * @throws UserError for another size with preset `article`.
 */
export function presetByName(name: PresetName, imageSize: ImageSize = 128): Preset {
  if (name === 'lite') return liteOf(imageSize);
  if (imageSize === article.imageSize) return article;
  throw new UserError(
    `preset ${name} has images of ${article.imageSize} × ${article.imageSize} only: ` +
      'omit --image-size, or choose --preset lite',
  );
}
