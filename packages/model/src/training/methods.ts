/**
 * What a preset does otherwise than the article while it trains, by name; a run may choose.
 *
 * @module
 */
import { z } from 'zod';
import { AUGMENTATIONS } from './augment.ts';
import { ADVERSARIAL_LOSSES } from './loss.ts';

/** On the command line a switch is `on` or `off`, in a config file `true` or `false`. */
const onOff = z.union([z.boolean(), z.stringbool()], { error: 'must be on or off' });

/** As flags have numbers: the text of one. Unlike `z.coerce.number()` it takes no "", `null` or `true` for one. */
export const givenNumber = <Schema extends z.ZodNumber>(schema: Schema) =>
  z.preprocess(
    (given) => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given),
    schema,
  );

/** `translation,cutout` or `none` on the command line, a list of them in files. */
const policy = z.preprocess(
  (given) => {
    if (typeof given !== 'string') return given;
    return given === 'none' ? [] : given.split(',');
  },
  z.array(z.enum(AUGMENTATIONS, { error: `must be none or some of ${AUGMENTATIONS.join(',')}` })),
);

const losses = Object.keys(ADVERSARIAL_LOSSES) as (keyof typeof ADVERSARIAL_LOSSES)[];

export const methodsSchema = z.strictObject({
  /** See {@link ADVERSARIAL_LOSSES}. */
  loss: z.enum(losses).describe(`what D and G play for: ${losses.join(', ')}`),
  /**
   * γ of R1 on real and R2 on fake images (Mescheder et al. 2018, arXiv:1801.04406), approximated by
   * differences (Lin et al. 2025, arXiv:2501.08316); 0 for none.
   */
  gradientPenalty: givenNumber(z.number().min(0).max(1000)).describe(
    'γ of the penalty on the gradient of D; 0 for none',
  ),
  /**
   * Class-conditional GAN: G gets a class as input, D judges by class (Mirza & Osindero 2014, arXiv:1411.1784),
   * with a logit for each of them (Choi et al. 2020, "StarGAN v2", arXiv:1912.01865).
   */
  classCondition: onOff.describe('class-conditional G and D: on, off'),
  /**
   * Weight of the loss of reconstructing real images from the latents of an encoder, so that no mode of the
   * data is dropped (Larsen et al. 2015, "VAE/GAN", arXiv:1512.09300); 0 for none.
   */
  reconstructionWeight: givenNumber(z.number().min(0).max(100)).describe(
    'weight of the reconstruction loss; 0 for none',
  ),
  /**
   * First iterations, in which G only learns to reconstruct real images, so that D and G begin with images
   * that are right except for details (as Ledig et al. 2016, "SRGAN", arXiv:1609.04802).
   */
  warmUp: givenNumber(z.number().int().min(0)).describe(
    'first iterations, in which G only learns to reconstruct real images',
  ),
  /**
   * In the warm-up the latents of the real images are whitened, so that they are distributed like the random
   * latents that are served ("ex-post density estimation", Ghosh et al. 2020,
   * arXiv:1903.12436, with one normal distribution).
   */
  latentWhitening: onOff.describe('whiten the latents of real images in the warm-up: on, off'),
  /** D sees how much the images of its batch differ (Karras et al. 2018, arXiv:1710.10196). */
  minibatchDeviation: onOff.describe('D sees the standard deviation over its batch: on, off'),
  /**
   * The images that D sees are augmented by DiffAugment (Zhao et al. 2020, arXiv:2006.10738). Its `color`
   * hides what distinguishes flat icons, the colours of their backgrounds and hair.
   */
  augment: policy.describe(`augmentations of what D sees: ${AUGMENTATIONS.join(',')}; none`),
  /**
   * Decay of the exponential moving average (EMA) of G's weights, which is shown and exported (Yazıcı et
   * al. 2018, arXiv:1806.04498); 0 for no EMA: G itself.
   */
  emaDecay: givenNumber(z.number().min(0).lt(1)).describe(
    "decay of the EMA of G's weights, which is exported; 0 for G itself",
  ),
});

/** The methods of a run. */
export type Methods = z.infer<typeof methodsSchema>;
