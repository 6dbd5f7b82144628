/**
 * The manifest of a generator file: what it says, and the seal that covers every bit of it.
 *
 * @module
 */
import * as z from 'zod';
import { TANH_RANGE } from '../image.ts';
import type { Direction } from '../latents/directions.ts';
import { decodeLatent, encodeLatent } from '../latents/latent-text.ts';
import { UserError } from '../user-error.ts';
import { sha256 } from './hash.ts';
import { layerSchema } from './layer-schema.ts';

export const GENERATOR_MANIFEST = 'generator.json';

/** What is written and read. */
const FORMAT_VERSION = 5;

/** A generator file names no more. */
export const MOST_DIRECTIONS = 64;

const size = z.number().int().positive();
const tensorSchema = z.strictObject({
  name: z.string(),
  shape: z.array(size),
  encoding: z.enum(['float32', 'float16', 'int8']),
  offset: z.number().int().nonnegative().multipleOf(4),
  scalesOffset: z.number().int().nonnegative().multipleOf(4).optional(),
});

const directionSchema = z.strictObject({
  name: z.string().min(1).max(256),
  kind: z.enum(['factor', 'class']),
  vector: z.string(),
});

/** One line of text that tools show as it is: no control characters, no line ends, no half characters. */
const oneLine = (most: number) =>
  z
    .string()
    .refine(
      (text) =>
        text.trim() !== '' && text.length <= most && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text),
      {
        error: `must be one line of 1 to ${most} characters, without control characters`,
      },
    );

/** An SPDX identifier, an address, or words: under what images of the generator may be used. */
export const licenceSchema = oneLine(256);

/** Whom images of the generator have to name. */
export const creditSchema = oneLine(512);

const manifestSchema = z.strictObject({
  format: z.literal('killme-generator'),
  version: z.literal(FORMAT_VERSION),
  preset: z.string(),
  latent: z.strictObject({
    size,
    distribution: z.enum(['uniform', 'uniform01', 'normal']),
    mean: z.number().optional(),
    deviation: z.number().positive().optional(),
    classes: z.array(size).min(2).optional(),
  }),
  image: z.strictObject({
    width: size,
    height: size,
    channels: z.literal([1, 3, 4]),
    range: z
      .tuple([z.number(), z.number()])
      .refine(([low, high]) => low < high, 'must be [low, high] with low < high')
      .default([...TANH_RANGE]),
  }),
  classes: z.array(z.string()),
  directions: z.array(directionSchema).max(MOST_DIRECTIONS).default([]),
  // What is not known of a generator from elsewhere is omitted.
  training: z.strictObject({
    dataset: z.string(),
    images: size.optional(),
    iterations: z.number().int().nonnegative().optional(),
    batchSize: size.optional(),
    seed: z.number().int().optional(),
    engine: z.string(),
    note: z.string().optional(),
  }),
  licence: licenceSchema.optional(),
  credit: creditSchema.optional(),
  arithmetic: z.enum(['float32', 'integer']).default('float32'),
  layers: z.array(layerSchema),
  tensors: z.array(tensorSchema),
  shards: z.array(
    z.strictObject({
      file: z.string().regex(/^[\w-]+\.bin$/, 'must be a plain .bin file name beside the manifest'),
      bytes: size,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/** As it lies in the file: {@link sealManifest}. */
const sealedSchema = manifestSchema.extend({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export type GeneratorManifest = z.infer<typeof manifestSchema>;
export type TensorEntry = GeneratorManifest['tensors'][number];

/** What a generator file says of itself, without its weights. */
export interface GeneratorDescription {
  manifest: GeneratorManifest;
  /** sha256 (hex) of the manifest, which holds the hashes of the shards: it names the whole file. */
  hash: string;
}

/** Everything that a manifest says, for the schema to check. */
type ManifestFacts = Record<
  Exclude<keyof GeneratorManifest, 'format' | 'version' | 'directions' | keyof Rights>,
  unknown
> &
  Rights & { directions: readonly Direction[] };

/** Under what images of a generator may be used; what is not known is omitted. */
export type Rights = Pick<GeneratorManifest, 'licence' | 'credit'>;

/** The bytes of the manifest of a new generator. */
export const writeManifest = (facts: ManifestFacts): Promise<Uint8Array<ArrayBuffer>> =>
  sealManifest(
    manifestSchema.parse({
      ...facts,
      format: 'killme-generator',
      version: FORMAT_VERSION,
      directions: facts.directions.map(writeDirection),
    }),
  );

/** The bytes of a manifest whose directions are others; nothing else of the generator changes. */
export function withDirections(
  manifest: GeneratorManifest,
  directions: readonly Direction[],
): Promise<Uint8Array<ArrayBuffer>> {
  return writeManifest({ ...manifest, directions });
}

/** The directions that a manifest names. */
export function readDirections({ directions, latent }: GeneratorManifest): Direction[] {
  return directions.map((direction) => ({
    ...direction,
    vector: decodeLatent(direction.vector, latent),
  }));
}

const writeDirection = ({ name, kind, vector }: Direction) => ({
  name,
  kind,
  vector: encodeLatent(vector),
});

/** Stands in the manifest's own place while its hash is computed. */
const NO_HASH = '0'.repeat(64);

/**
 * The bytes of a manifest. Its last key, `sha256`, is the hash of the whole file with
 * {@link NO_HASH} in its own place, so that no bit of the file can change unseen.
 */
export async function sealManifest(manifest: GeneratorManifest): Promise<Uint8Array<ArrayBuffer>> {
  const text = `${JSON.stringify({ ...manifest, sha256: NO_HASH }, null, 1)}\n`;
  return encodeText(replaceLast(text, NO_HASH, await sha256(encodeText(text))));
}

/** @throws UserError when the file is not what was sealed. */
async function verifySeal(bytes: Uint8Array<ArrayBuffer>, hash: string): Promise<void> {
  const text = replaceLast(new TextDecoder().decode(bytes), hash, NO_HASH);
  if ((await sha256(encodeText(text))) === hash) return;
  throw new UserError(
    `${GENERATOR_MANIFEST} is damaged (its sha256 is not the one it names): export or copy the generator again`,
  );
}

function replaceLast(text: string, old: string, replacement: string): string {
  const at = text.lastIndexOf(old);
  return text.slice(0, at) + replacement + text.slice(at + old.length);
}

const encodeText = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/**
 * Reads and checks the manifest alone.
 * @param readFile gives the bytes of a file of the folder by name.
 * @throws UserError in one line: not a generator file, or a version from the future.
 */
export async function readGeneratorManifest(
  readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<GeneratorDescription> {
  const bytes = await readFile(GENERATOR_MANIFEST);
  const { sha256: seal, ...manifest } = parseManifest(bytes);
  await verifySeal(bytes, seal);
  return { manifest, hash: await sha256(bytes) };
}

function parseManifest(bytes: Uint8Array): z.infer<typeof sealedSchema> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new UserError(`${GENERATOR_MANIFEST} is not JSON: export or copy the generator again`);
  }
  const head = z
    .object({ format: z.literal('killme-generator'), version: z.number() })
    .safeParse(json);
  if (!head.success) {
    throw new UserError(`${GENERATOR_MANIFEST} is not a killme-generator manifest`);
  }
  if (head.data.version !== FORMAT_VERSION) {
    throw new UserError(
      `${GENERATOR_MANIFEST} has format version ${head.data.version}, this program reads version ` +
        `${FORMAT_VERSION}: ${head.data.version > FORMAT_VERSION ? 'update it' : 'export the generator again'}`,
    );
  }
  const parsed = sealedSchema.safeParse(json);
  if (parsed.success) {
    checkClasses(parsed.data);
    checkDirections(parsed.data);
    return parsed.data;
  }
  const issue = parsed.error.issues[0]!;
  throw new UserError(`${GENERATOR_MANIFEST}: ${issue.path.join('.')}: ${issue.message}`);
}

function checkClasses({ classes, latent }: GeneratorManifest): void {
  const places = latent.classes?.length ?? 0;
  if (places === 0 || (places === classes.length && places < latent.size)) return;
  throw new UserError(
    `${GENERATOR_MANIFEST}: its latents of ${latent.size} numbers say one of ${places} classes, but it ` +
      `names ${classes.length}`,
  );
}

function checkDirections({ directions, latent }: GeneratorManifest): void {
  const names = new Set<string>();
  for (const { name, vector } of directions) {
    const place = `${GENERATOR_MANIFEST}: the direction "${name}"`;
    if (names.has(name)) throw new UserError(`${place} comes twice`);
    names.add(name);
    try {
      decodeLatent(vector, latent);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${place} has a vector that ${error.message}`);
    }
  }
}
