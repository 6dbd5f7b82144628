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
   * G is told which class to draw, and D judges by class (Mirza & Osindero 2014, arXiv:1411.1784),
   * with a logit for each of them (Choi et al. 2020, "StarGAN v2", arXiv:1912.01865).
   */
  classCondition: onOff.describe('G and D are told the class of an image: on, off'),
  /**
   * Weight of G's error in drawing real images again from what an encoder says of them, so that no
   * kind of image is left out (Larsen et al. 2015, "VAE/GAN", arXiv:1512.09300); 0 for none.
   */
  reconstruction: givenNumber(z.number().min(0).max(100)).describe(
    'weight of drawing the real images again; 0 for none',
  ),
  /**
   * Iterations at first in which G only learns to draw real images again, so that D and G begin with
   * drawings that are right but for their details (as Ledig et al. 2016, "SRGAN", arXiv:1609.04802).
   */
  warmUp: givenNumber(z.number().int().min(0)).describe(
    'iterations at first in which G only draws the real images again',
  ),
  /**
   * In the warm-up latents are turned and stretched, so that those of the real images are as even as the
   * random ones that pictures are drawn from ("ex-post density estimation", Ghosh et al. 2020,
   * arXiv:1903.12436, with one normal distribution).
   */
  latentWhitening: onOff.describe(
    'random latents are made to lie as those of real images do: on, off',
  ),
  /** D sees how much the images of its batch differ (Karras et al. 2018, arXiv:1710.10196). */
  minibatchDeviation: onOff.describe('D sees how much the images of its batch differ: on, off'),
  /**
   * What D sees is changed at random, DiffAugment (Zhao et al. 2020, arXiv:2006.10738). Its `color`
   * hides what tells flat icons apart, the colours of their grounds and hair.
   */
  augment: policy.describe(
    `how what D sees is changed at random: ${AUGMENTATIONS.join(',')}; none`,
  ),
  /**
   * The generator that is shown and exported is an average of G's weights over its steps, each old
   * average keeping this share (Yazıcı et al. 2018, arXiv:1806.04498); 0 means G itself.
   */
  averageDecay: givenNumber(z.number().min(0).lt(1)).describe(
    'share that the average of G keeps at each step; 0 shows G itself',
  ),
});

/** The methods of a run. */
export type Methods = z.infer<typeof methodsSchema>;
