import type { Augmentation } from './augment.ts';
import type { AdversarialLossName } from './loss.ts';

/** The methods of the lite step, which the article's step does not have; a run may choose each. */
export interface Methods {
  /** See `ADVERSARIAL_LOSSES`. */
  loss: AdversarialLossName;
  /**
   * γ of R1 on real and R2 on fake images (Mescheder et al. 2018, arXiv:1801.04406), approximated by
   * differences (Lin et al. 2025, arXiv:2501.08316); 0 for none.
   */
  gradientPenalty: number;
  /**
   * Class-conditional GAN: G gets a class as input, D judges by class (Mirza & Osindero 2014,
   * arXiv:1411.1784), with a logit for each of them (Choi et al. 2020, "StarGAN v2", arXiv:1912.01865).
   */
  classCondition: boolean;
  /**
   * All cells of G's first layer share their kernel, so that none chooses a colour by itself (as R3GAN
   * begins, Huang et al. 2024, arXiv:2501.05441).
   */
  sharedStart: boolean;
  /**
   * Weight of the loss of reconstructing real images from the latents of an encoder, so that no mode of the
   * data is dropped (Larsen et al. 2015, "VAE/GAN", arXiv:1512.09300); 0 for none.
   */
  reconstructionWeight: number;
  /**
   * First iterations, in which G only learns to reconstruct real images, so that D and G begin with images
   * that are right except for details (as Ledig et al. 2016, "SRGAN", arXiv:1609.04802).
   */
  warmUp: number;
  /**
   * In the warm-up the latents of the real images are whitened, so that they are distributed like the random
   * latents that are served ("ex-post density estimation", Ghosh et al. 2020, arXiv:1903.12436, with one
   * normal distribution).
   */
  latentWhitening: boolean;
  /**
   * Steps in which, after the warm-up, a mapping network learns to take random latents to where those of the
   * real images lie (a second stage, as Dai & Wipf 2019, arXiv:1903.05789, by a rectified flow, Liu et al.
   * 2022, arXiv:2209.03003); 0 for no mapping network.
   */
  mappingSteps: number;
  /** D sees how much the images of its batch differ (Karras et al. 2018, arXiv:1710.10196). */
  minibatchDeviation: boolean;
  /**
   * Shortens Adam's steps where gradients are suddenly large, so that one batch does not undo what was learnt
   * (Wortsman et al. 2023, arXiv:2304.13013).
   */
  updateClipping: boolean;
  /**
   * The images that D sees are augmented by DiffAugment (Zhao et al. 2020, arXiv:2006.10738). Its `color`
   * hides what distinguishes flat icons, the colours of their backgrounds and hair.
   */
  augment: readonly Augmentation[];
  /**
   * Decay of the exponential moving average (EMA) of G's weights, which is shown and exported (Yazıcı et
   * al. 2018, arXiv:1806.04498); 0 for no EMA: G itself.
   */
  emaDecay: number;
}
