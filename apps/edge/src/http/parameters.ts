/**
 * The query parameters of every route: one schema says what is valid, what is the default and, as its
 * description, what a problem says. The OpenAPI document and the reference page come from it too.
 *
 * @module
 */
import { latentCharacters } from '@killme/model';
import * as z from 'zod';
import { LISTED_MOVES, SEED_CHARACTERS, STRENGTH } from './limits.ts';
import { splitSeeds } from './seed-list.ts';

export const STEPS = { least: 2, most: 64 };
export const GRID_SIDE = { least: 1, most: 8 };
export const SIZE = { least: 64, most: 512 };

/** Characters of a latent at most: those of 1,024 numbers (see latent-text.ts of the model). */
const LATENT_CHARACTERS = latentCharacters(1024);

/** What a generator may be called. */
export const MODEL_NAME = /^\w[\w.-]{0,63}$/;

/** Seeds in one list at most. */
export const LISTED_SEEDS = 8;

/**
 * Pixels in one answer at most: the 64 pictures of the longest walk at 221, or 12 at 512. Encoding
 * takes about ten bytes a pixel, and an isolate of 128 MB has not much left beside its generators.
 */
export const PIXELS = 3 * 2 ** 20;

/**
 * A seed is taken as it comes: case, spaces and Unicode normalization forms count. Characters are
 * Unicode code points.
 */
const seed = z
  .string()
  .refine((text) => text.length > 0 && text.length <= 2 * SEED_CHARACTERS)
  .refine((text) => [...text].length <= SEED_CHARACTERS)
  .meta({
    description: `any text of 1 to ${SEED_CHARACTERS} characters`,
    minLength: 1,
    maxLength: SEED_CHARACTERS,
  });

/** `a,b`; a comma that belongs to a seed is written `\\,`, see seed-list.ts. */
const seedList = z
  .string()
  .transform(splitSeeds)
  .pipe(z.array(seed).min(1).max(LISTED_SEEDS))
  .meta({
    description: `1 to ${LISTED_SEEDS} seeds with commas between them, "\\," for a comma in a seed`,
    override: { type: 'string', format: 'seed-list', minLength: 1 },
  });

/** A latent itself; how many numbers it has is the generator's to say, see latents.ts. */
const latent = z
  .string()
  .regex(/^[\w-]+$/)
  .max(LATENT_CHARACTERS)
  .meta({
    description:
      'base64url, without =, of numbers from -1 to 1 as float16, little-endian: ' +
      `${latentCharacters(100)} characters for 100 of them`,
    override: { type: 'string', format: 'latent', minLength: 1, maxLength: LATENT_CHARACTERS },
  });

/** `name:1.5`, split at the last colon, as a name may have some. */
const MOVE = /^(.+):(-?\d(?:\.\d{1,3})?)$/su;

const moves = z
  .string()
  .transform(splitSeeds)
  .pipe(
    z
      .array(
        z
          .string()
          .regex(MOVE)
          .transform((text) => {
            const [, direction = '', strength] = MOVE.exec(text) ?? [];
            return { direction, strength: Number(strength) };
          })
          .refine(({ strength }) => Math.abs(strength) <= STRENGTH),
      )
      .min(1)
      .max(LISTED_MOVES),
  )
  .meta({
    description:
      `1 to ${LISTED_MOVES} moves with commas between them, each a direction that /model names, a ` +
      `colon and a number from -${STRENGTH} to ${STRENGTH} with at most three decimals`,
    override: { type: 'string', format: 'moves', minLength: 1 },
  });

/** Which names there are is the generator's to say, see latents.ts. */
const className = z
  .string()
  .normalize('NFC') // macOS types é as two characters
  .min(1)
  .meta({
    description: 'a class that /model names, where its latent has classes',
    override: { type: 'string', format: 'class', minLength: 1 },
  });

/** Which there are is the server's to say, see models.ts. */
const modelName = z
  .string()
  .regex(MODEL_NAME)
  .meta({
    description: 'a generator that /model names',
    override: { type: 'string', format: 'model', minLength: 1 },
  });

const wholeNumber = ({ least, most }: { least: number; most: number }, preset?: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(least).max(most))
    .meta({
      description: `a whole number from ${least} to ${most}`,
      override: ({ jsonSchema }) => {
        delete jsonSchema.pattern; // of the text that the number is read from
        Object.assign(jsonSchema, { type: 'integer', minimum: least, maximum: most });
        if (preset !== undefined) jsonSchema.default = preset;
      },
    });

const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z.enum(values).meta({ description: values.join(' or ') });

const flag = z
  .enum(['0', '1'])
  .transform((text) => text === '1')
  .meta({ description: '0 or 1', override: { type: 'string', enum: ['0', '1'], default: '0' } });

/** A parameter and what it is for; `meta` is where zod-openapi looks for it. */
const about = <Schema extends z.ZodType>(purpose: string, schema: Schema): Schema =>
  schema.meta({ param: { description: purpose } });

const still = about(
  'File format. PNG is lossless, WebP is much smaller.',
  oneOf('png', 'webp').default('png'),
);

const onlyPng = about('File format.', oneOf('png').default('png'));

const download = about(
  '1 makes the browser save the file under a descriptive name.',
  flag.default(false),
);

const metadata = about(
  'none leaves out of the file what it says of its seeds, generator, address, licence and credit.',
  oneOf('all', 'none').default('all'),
);

const model = about(
  'The generator to use. Default: the first one of the server.',
  modelName.optional(),
);

/** What every picture takes. */
const common = {
  metadata,
  model,
  size: about(
    'Width and height of each picture in pixels. Default: the size that the generator renders, or ' +
      `the largest that fits into an answer of ${PIXELS} pixels.`,
    wholeNumber(SIZE).optional(),
  ),
  download,
};

const seedOrRandom = seed.optional();

type Refinement = (values: Record<string, unknown>, context: z.RefinementCtx) => void;

/** Two ways to say the same: not both at once. */
const onlyOne =
  (first: string, second: string): Refinement =>
  (values, { addIssue }) => {
    if (values[first] === undefined || values[second] === undefined) return;
    const allowed = `omitted where ${first} is given`;
    addIssue({ code: 'custom', path: [second], params: { allowed } });
  };

/** Two ways to say the same: one of them. */
const oneOfTwo =
  (first: string, second: string): Refinement =>
  (values, context) => {
    onlyOne(first, second)(values, context);
    if (values[first] !== undefined || values[second] !== undefined) return;
    const allowed = `given, or ${second} instead`;
    context.addIssue({ code: 'custom', path: [first], params: { allowed } });
  };

/** A latent says its class itself, so that of a walk is refused where no seed is on it. */
const classNeedsSeed: Refinement = ({ from, via, to, ...values }, { addIssue }) => {
  if (values.class === undefined || [from, via, to].some((seeds) => seeds !== undefined)) return;
  const allowed = 'omitted where no seed is given';
  addIssue({ code: 'custom', path: ['class'], params: { allowed } });
};

const move = about(
  'Moves the latent along directions of the generator. Strengths are in standard deviations.',
  moves.optional(),
);

/** `GET /img` */
export const imgParameters = z
  .strictObject({
    seed: about(
      'The seed of the character. Without seed and z the answer redirects to a random seed.',
      seedOrRandom,
    ),
    z: about(
      'Instead of seed: the latent to render. npm run project finds the latent of a picture.',
      latent.optional(),
    ),
    move,
    class: about(
      'The class to render, where the generator is class-conditional. The rest of the latent is ' +
        'that of the seed. Default: the seed determines the class.',
      className.optional(),
    ),
    format: still,
    ...common,
  })
  .superRefine(onlyOne('seed', 'z'))
  .superRefine(onlyOne('z', 'class')); // a latent says its class itself

/** `GET /morph` */
export const morphParameters = z
  .strictObject({
    from: about('The seed where the walk begins. Required without zfrom.', seed.optional()),
    zfrom: about('Instead of from: the latent where the walk begins.', latent.optional()),
    via: about('Seeds that the walk passes, in this order.', seedList.optional()),
    to: about('The seed where the walk ends. Required without zto.', seed.optional()),
    zto: about('Instead of to: the latent where the walk ends.', latent.optional()),
    steps: about('Number of pictures, both ends included.', wholeNumber(STEPS, 10).default(10)),
    space: about(
      'latent interpolates latents. pixel interpolates the pixels of the pictures at the seeds (a cross-fade).',
      oneOf('latent', 'pixel').default('latent'),
    ),
    path: about(
      'Interpolation of latents: linear, or spherical (slerp). Default: slerp where the latents of ' +
        'the generator are normal, linear otherwise.',
      oneOf('linear', 'slerp').optional(),
    ),
    loop: about(
      '1 makes the walk return to its first seed, end one step before it, and repeat for ever.',
      flag.default(false),
    ),
    class: about(
      'The class of every seed on the walk, where the generator is class-conditional. Default: each ' +
        'seed determines its class, and the walk changes over from one to the next.',
      className.optional(),
    ),
    format: about(
      'png is a strip, apng and gif are animations of ten pictures a second, json has each picture with its latent.',
      oneOf('png', 'apng', 'gif', 'json').default('png'),
    ),
    ...common,
  })
  .superRefine(oneOfTwo('from', 'zfrom'))
  .superRefine(oneOfTwo('to', 'zto'))
  .superRefine(classNeedsSeed);

/** `GET /grid` */
export const gridParameters = z.strictObject({
  seed: about(
    'The seed of the sheet. Without it the answer redirects to a random seed.',
    seedOrRandom,
  ),
  n: about('Number of rows and of columns.', wholeNumber(GRID_SIDE, 5).default(5)),
  class: about(
    'The class of all pictures, where the generator is class-conditional. Default: each seed determines its class.',
    className.optional(),
  ),
  format: onlyPng,
  ...common,
});

/** `GET /mix` */
export const mixParameters = z.strictObject({
  plus: about('Seeds whose latents are added.', seedList),
  minus: about('Seeds whose latents are subtracted.', seedList.optional()),
  move,
  class: about(
    'The class of the sum, where the generator is class-conditional. Default: the components of ' +
      'the latent that hold the class are added like all others.',
    className.optional(),
  ),
  format: still,
  ...common,
});

/** `GET /og`: the size of a card is given, so none is asked for. */
export const ogParameters = z.strictObject({
  seed: about(
    'The seed of the card. Without it the answer redirects to a random seed.',
    seedOrRandom,
  ),
  class: about(
    'The class of all pictures on the card, where the generator is class-conditional. Default: the seed determines the class.',
    className.optional(),
  ),
  format: still,
  metadata,
  model,
  download,
});

/** `GET /model`, the files of a generator, and the page: which one. */
export const modelParameters = z.strictObject({ model });

/** A route that takes none. */
export const noParameters = z.strictObject({});
