import { articleDiscriminator, liteDiscriminator } from './discriminator.ts';
import { articleGenerator, liteGenerator } from './generator.ts';
import type { LatentSpace } from './latent.ts';
import type { Network } from './network.ts';
import { UserError } from './user-error.ts';

/** Everything that makes one kind of GAN: its networks, its latents, and how it is trained. */
export interface Preset {
  name: string;
  latent: LatentSpace;
  /** Side of the square images, in pixels. */
  imageSize: number;
  generator: Network;
  discriminator: Network;
  training: {
    batchSize: number;
    iterations: number;
    /** Iterations between grids and strips. */
    sampleEvery: number;
    /** Iterations between checkpoints. */
    saveEvery: number;
    /** Adam; two states of it, one for each network. */
    learningRate: number;
    beta1: number;
    beta2: number;
    epsilon: number;
    /** What D sees is changed at random (see augment.ts). */
    augment: boolean;
    /**
     * The generator that is shown and exported is an average of G's weights over its steps, each old
     * average keeping this share (Yazıcı et al. 2018, arXiv:1806.04498); 0 means G itself.
     */
    averageDecay: number;
  };
}

/** The article's GAN; β₂ and ε, which it leaves out, are the defaults of its Keras. */
const article: Preset = {
  name: 'article',
  latent: { size: 100, distribution: 'uniform' },
  imageSize: 128,
  generator: articleGenerator(),
  discriminator: articleDiscriminator(),
  training: {
    batchSize: 32,
    iterations: 200_000,
    sampleEvery: 1_000,
    saveEvery: 1_000,
    learningRate: 2e-4,
    beta1: 0.5,
    beta2: 0.999,
    epsilon: 1e-7,
    augment: false,
    averageDecay: 0,
  },
};

/** Better pictures from less: see {@link liteGenerator}; a sixth of the article's work a step. */
const lite: Preset = {
  name: 'lite',
  latent: { size: 100, distribution: 'uniform' },
  imageSize: 128,
  generator: liteGenerator(),
  discriminator: liteDiscriminator(),
  training: {
    ...article.training,
    iterations: 20_000,
    sampleEvery: 500,
    saveEvery: 500,
    augment: true,
    averageDecay: 0.998,
  },
};

export const PRESETS: readonly Preset[] = [article, lite];

/** @throws UserError listing the presets there are. */
export function presetByName(name: string): Preset {
  const preset = PRESETS.find((candidate) => candidate.name === name);
  if (preset) return preset;
  const names = PRESETS.map((candidate) => candidate.name).join(', ');
  throw new UserError(`--preset must be one of: ${names}; not "${name}"`);
}
