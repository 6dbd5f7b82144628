/**
 * The options of a training run, each declared once: its values, its defaults with the reason for them, its
 * help text, and the preset that has it. Validation, `--help`, `--config`, the check of a resumed run and
 * docs/options.md are made of this table.
 *
 * @module
 */
import { creditSchema, licenceSchema } from '@killme/model';
import {
  ADVERSARIAL_LOSSES,
  type AdversarialLossName,
  AUGMENTATIONS,
  IMAGE_SIZES,
  type Methods,
  PRESET_NAMES,
  type Preset,
} from '@killme/model/training';
import { z } from 'zod';

export interface OptionEntry<Schema extends z.ZodType = z.ZodType> {
  /** Allowed values, as JSON has them, or as text of the command line. */
  schema: Schema;
  /** The value in the help, `N` or `NAME`; none of a flag that takes no value. */
  value?: string;
  /** What it does, in one line. */
  help: string;
  /** Its value where none is given, in each preset that has it. */
  default: (preset: Preset) => z.output<Schema> | undefined;
  /** The default in words, where it depends on more than the preset. */
  defaultText?: string;
  /** Why the default is what it is. */
  reason: string;
  /** Whether `--resume` may change it; what may not change makes another run. */
  onResume: 'may change' | 'fixed';
}

const option = <Schema extends z.ZodType>(entry: OptionEntry<Schema>): OptionEntry<Schema> => entry;

/** Numbers, also as the text of one; unlike `z.coerce.number()` neither "", `null` nor `true` is a number. */
const number = <Schema extends z.ZodType<number>>(schema: Schema) =>
  z.preprocess(
    (given) => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given),
    schema,
  );

/** A side of images that preset lite can have. */
export const imageSizeSchema = number(
  z.literal(IMAGE_SIZES, { error: `must be one of ${IMAGE_SIZES.join(', ')}` }),
);

const positive = number(z.number().int().positive());
const count = number(z.number().int().nonnegative());

/** A seed of random numbers: any uint32. */
export const seedSchema = number(
  z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1),
);

/** On the command line `on` or `off`, in a config file `true` or `false`. */
const onOff = z.union([z.boolean(), z.stringbool()], { error: 'must be on or off' });

/** On the command line `translation,cutout` or `none`, in a config file a list. */
const augmentations = z.preprocess(
  (given) => {
    if (typeof given !== 'string') return given;
    return given === 'none' ? [] : given.split(',');
  },
  z.array(z.enum(AUGMENTATIONS, { error: `must be none or some of ${AUGMENTATIONS.join(',')}` })),
);

const LOSSES = Object.keys(ADVERSARIAL_LOSSES) as [AdversarialLossName, ...AdversarialLossName[]];

/** The options of every preset. */
export const RUN_OPTIONS = {
  preset: option({
    schema: z.enum(PRESET_NAMES, { error: `must be one of ${PRESET_NAMES.join(', ')}` }),
    value: 'NAME',
    help: `kind of GAN: ${PRESET_NAMES.join(', ')}`,
    default: ({ name }) => name,
    defaultText: 'article',
    reason: 'the article’s GAN is what is explained here; lite makes better images in less time',
    onResume: 'fixed',
  }),
  data: option({
    schema: z.string().min(1).nullable(),
    value: 'PATH',
    help: 'folder, .zip or .rar of images',
    default: () => null,
    defaultText: 'the stand-in characters',
    reason: 'the article’s images may not be shipped',
    onResume: 'may change',
  }),
  imageSize: option({
    schema: imageSizeSchema,
    value: 'N',
    help: `side of the images in pixels: ${IMAGE_SIZES.join(', ')}; article has 128 only`,
    default: () => 128 as const,
    reason: 'the article’s',
    onResume: 'fixed',
  }),
  iterations: option({
    schema: positive,
    value: 'N',
    help: 'iterations in total, a training step each',
    default: ({ training }) => training.iterations,
    reason: 'article: the article’s; lite: its warm-up, then as many iterations with D',
    onResume: 'may change',
  }),
  batch: option({
    schema: number(z.number().int().min(2).multipleOf(2)),
    value: 'N',
    help: 'images in an iteration; D sees half real, half fake',
    default: ({ training }) => training.batchSize,
    reason: 'article: the article’s; lite: half of it, for twice as many steps in the same time',
    onResume: 'fixed',
  }),
  learningRate: option({
    schema: number(z.number().positive().max(1)),
    value: 'N',
    help: 'learning rate of Adam',
    default: ({ training }) => training.learningRate,
    reason:
      'article: the article’s; lite: it trains without momentum, and with 0.3 of it from the last fifth of the warm-up on',
    onResume: 'fixed',
  }),
  backend: option({
    schema: z.enum(['auto', 'tensorflow', 'webgpu', 'wasm']),
    value: 'NAME',
    help: 'engine to train on: auto, tensorflow, webgpu, wasm',
    default: () => 'auto' as const,
    reason: 'the fastest engine that this machine has',
    onResume: 'may change',
  }),
  seed: option({
    schema: seedSchema,
    value: 'N',
    help: 'seed of all random numbers of the run',
    default: () => 0,
    reason: 'the same command gives the same run',
    onResume: 'fixed',
  }),
  name: option({
    schema: z
      .string()
      .regex(/^[\w][\w.-]{0,63}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"'),
    value: 'NAME',
    help: 'folder of the run in runs/',
    default: ({ name }) => `${name}-${timestamp()}`,
    defaultText: 'preset and time',
    reason: 'no two runs have the same',
    onResume: 'fixed',
  }),
  saveEvery: option({
    schema: positive,
    value: 'N',
    help: 'iterations between checkpoints',
    default: ({ training }) => training.saveEvery,
    reason: 'a run that is killed loses minutes at most',
    onResume: 'may change',
  }),
  sampleEvery: option({
    schema: positive,
    value: 'N',
    help: 'iterations between grids and strips',
    default: ({ training }) => training.sampleEvery,
    reason: 'article: the article’s; lite: it has a tenth of the iterations',
    onResume: 'may change',
  }),
  measureEvery: option({
    schema: count,
    value: 'N',
    help: 'iterations between measurements of quality; 0 for none',
    default: ({ training }) => 2 * training.sampleEvery,
    reason: 'a measurement takes as long as several iterations',
    onResume: 'may change',
  }),
  patience: option({
    schema: count,
    value: 'N',
    help: 'stop when the metric parts has not improved for N iterations; 0 for never',
    default: () => 0,
    reason: 'the best checkpoint by that metric is kept anyway',
    onResume: 'may change',
  }),
  strict: option({
    schema: z.boolean(),
    help: 'stop at an image that cannot be read, instead of skipping it',
    default: () => false,
    reason: 'one damaged file of many does not matter',
    onResume: 'may change',
  }),
  background: option({
    schema: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, 'must be # and six hexadecimal digits, as #ffffff')
      .optional(),
    value: 'COLOUR',
    help: 'colour under transparent pixels, as #rrggbb',
    default: () => undefined,
    defaultText: '#ffffff',
    reason:
      'most icons are made for a white page; npm run data -- inspect names those that it hides',
    onResume: 'fixed',
  }),
  frames: option({
    schema: z.enum(['first', 'all'], { error: 'must be first or all' }).optional(),
    value: 'WHICH',
    help: 'of animations: the first frame, or all of them as images',
    default: () => undefined,
    defaultText: 'first',
    reason: 'the frames of one animation are nearly alike and would outweigh other icons',
    onResume: 'fixed',
  }),
  licence: option({
    schema: licenceSchema.optional(),
    value: 'TEXT',
    help: 'licence of generated images: SPDX, an address, or words',
    default: () => undefined,
    defaultText: 'of the stand-in characters CC-BY-4.0, else none',
    reason: 'generated images descend from the images of the training',
    onResume: 'may change',
  }),
  credit: option({
    schema: creditSchema.optional(),
    value: 'TEXT',
    help: 'whom generated images have to credit',
    default: () => undefined,
    defaultText: 'of the stand-in characters their artist, else none',
    reason: 'generated images descend from the images of the training',
    onResume: 'may change',
  }),
};

type MethodTable = {
  [Name in keyof Methods]-?: OptionEntry<z.ZodType<Methods[Name]>>;
};

/** The options of preset lite alone: what its step does that the article’s does not ({@link Methods}). */
export const METHOD_OPTIONS = {
  loss: option({
    schema: z.enum(LOSSES, { error: `must be one of ${LOSSES.join(', ')}` }),
    value: 'NAME',
    help: `adversarial loss: ${LOSSES.join(', ')}`,
    default: ({ training }) => training.methods?.loss,
    reason: 'covers the modes of the data, as in R3GAN',
    onResume: 'fixed',
  }),
  gradientPenalty: option({
    schema: number(z.number().min(0).max(1000)),
    value: 'N',
    help: 'γ of the penalty on the gradient of D; 0 for none',
    default: ({ training }) => training.methods?.gradientPenalty,
    reason: 'without it D classifies all images correctly within a hundred iterations; 10 is worse',
    onResume: 'fixed',
  }),
  classCondition: option({
    schema: onOff,
    value: 'on|off',
    help: 'class-conditional G and D, with 2 to 50 classes',
    default: ({ training }) => training.methods?.classCondition,
    reason: 'rare classes are generated as often as they occur',
    onResume: 'fixed',
  }),
  sharedStart: option({
    schema: onOff,
    value: 'on|off',
    help: "the 4×4 cells of G's first layer share one kernel",
    default: ({ training }) => training.methods?.sharedStart,
    reason:
      'against clouds: with kernels of their own, cells may choose different background colours',
    onResume: 'fixed',
  }),
  reconstructionWeight: option({
    schema: number(z.number().min(0).max(100)),
    value: 'N',
    help: 'weight of the reconstruction loss; 0 for none',
    default: ({ training }) => training.methods?.reconstructionWeight,
    reason: 'no mode of the data is dropped',
    onResume: 'fixed',
  }),
  warmUp: option({
    schema: count,
    value: 'N',
    help: 'first iterations, in which G only learns to reconstruct real images and D is not trained',
    default: ({ training }) => training.methods?.warmUp,
    reason: 'D and G begin with images that are right except for details',
    onResume: 'fixed',
  }),
  latentWhitening: option({
    schema: onOff,
    value: 'on|off',
    help: 'whiten the latents of real images in the warm-up',
    default: ({ training }) => training.methods?.latentWhitening,
    reason: 'random latents then have the mean and covariance of those of real images',
    onResume: 'fixed',
  }),
  mappingSteps: option({
    schema: count,
    value: 'N',
    help: 'steps in which a mapping network of latents is trained after the warm-up; 0 for none',
    default: ({ training }) => training.methods?.mappingSteps,
    reason: 'random latents then lie where those of real images do: fewer blends',
    onResume: 'fixed',
  }),
  minibatchDeviation: option({
    schema: onOff,
    value: 'on|off',
    help: 'D sees the standard deviation over its batch',
    default: ({ training }) => training.methods?.minibatchDeviation,
    reason: 'against mode collapse',
    onResume: 'fixed',
  }),
  updateClipping: option({
    schema: onOff,
    value: 'on|off',
    help: 'shorten an update where a gradient is suddenly large',
    default: ({ training }) => training.methods?.updateClipping,
    reason: 'without it a run may lose within 50 iterations all that it has learned',
    onResume: 'fixed',
  }),
  augment: option({
    schema: augmentations,
    value: 'NAMES',
    help: `augmentations of the images that D sees: some of ${AUGMENTATIONS.join(',')}, or none`,
    default: ({ training }) => training.methods?.augment && [...training.methods.augment],
    reason: 'with few images D overfits; color hides the colours that distinguish icons',
    onResume: 'fixed',
  }),
  emaDecay: option({
    schema: number(z.number().min(0).lt(1)),
    value: 'N',
    help: 'decay of the EMA of G’s weights, which is exported; 0 for G itself',
    default: ({ training }) => training.methods?.emaDecay,
    reason: 'an average over the last 500 steps has less noise',
    onResume: 'fixed',
  }),
} satisfies MethodTable;

/** Every option of `train`, in the order of its help. */
export const OPTIONS = { ...RUN_OPTIONS, ...METHOD_OPTIONS };
export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/** The schemas of a table by option name. */
export function schemasOf<Table extends Record<string, OptionEntry>>(table: Table) {
  const schemas = Object.entries(table).map(([name, { schema }]) => [name, schema]);
  // Object.fromEntries forgets which name has which schema.
  return Object.fromEntries(schemas) as { [Name in keyof Table]: Table[Name]['schema'] };
}

/** `2026-11-29-081500`, UTC. */
const timestamp = () => new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
