import { dense, flatten, halving } from './layers.ts';
import { type Network, sequential } from './network.ts';
import type { WeightSpec } from './weight-spec.ts';

/** Its channels at 128×128, 64×64, … 4×4: those of one side do not depend on the image's. */
const LITE_ENCODER_CHANNELS = [8, 16, 32, 64, 96, 128] as const;

/**
 * The encoder of preset `lite`: an image `[imageSize, imageSize, 3]` with values in [-1, 1] in, what it
 * says of the latents that may have made it out, `[2 · components]`: of every component where it lies,
 * then of every one how certain that is (Kingma & Welling 2013, arXiv:1312.6114). G trains with it,
 * and `npm run project` asks it; no export has it.
 *
 * @param options.components of a latent, without those that say a class.
 * @param options.imageSize as of the discriminator of preset `lite`
 */
export function liteEncoder({
  components,
  imageSize = 128,
}: {
  components: number;
  imageSize?: number;
}): Network {
  const channels = LITE_ENCODER_CHANNELS.slice(-Math.log2(imageSize / 4));
  return sequential(
    'encoder',
    [imageSize, imageSize, 3],
    [...channels.flatMap(halving), flatten(), dense(2 * components)],
  );
}

/** Where the whitening of an encoder's latents lies among its weights. */
export const WHITENING = { mean: 'whitening/mean', kernel: 'whitening/kernel' } as const;

/**
 * An encoder with the map that its latents z pass last, `(z − mean) kernel`, which no gradient moves: at
 * first the identity, then such that the latents of all images are as even as random ones.
 * @param encoder gives `[2 · components]`.
 * @param classes of a class-conditional GAN; each has a mean of its own.
 */
export function withWhitening(encoder: Network, classes = 1): Network {
  const components = encoder.outputShape[0]! / 2;
  const weights: WeightSpec[] = [
    { name: WHITENING.mean, shape: [classes, components], initializer: 'zeros', trainable: false },
    {
      name: WHITENING.kernel,
      shape: [components, components],
      initializer: 'identity',
      trainable: false,
    },
  ];
  return { ...encoder, weights: [...encoder.weights, ...weights] };
}
