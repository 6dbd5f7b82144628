/**
 * Traces: the article's training recorded from real Keras, for our training step to be held against.
 * The format is documented in test/reference/README.md; anyone can record another.
 *
 * @module
 */
import { join } from 'node:path';
import { readNamedFile, readNamedJson } from '@killme/command-line';
import { createRandom, product, UserError } from '@killme/model';
import { z } from 'zod';

const shape = z.array(z.number().int().nonnegative());
const offset = z.number().int().nonnegative();

const referenceSchema = z.discriminatedUnion('encoding', [
  z.object({ encoding: z.literal('float32'), offset, shape }),
  z.object({ encoding: z.literal('bits'), offset, shape }),
  z.object({
    encoding: z.literal('shake128'),
    key: z.string(),
    shape,
    scale: z.number(),
    shift: z.number(),
  }),
]);

const sampleSchema = z.object({
  sum: z.number(),
  sumOfSquares: z.number(),
  first: z.array(z.number()),
});

const named = <T extends z.ZodType>(value: T) => z.record(z.string(), value);

const stateSchema = z.object({
  weights: named(sampleSchema),
  m: named(sampleSchema).optional(),
  v: named(sampleSchema).optional(),
});

const afterSchema = z.object({
  generator: stateSchema.optional(),
  discriminator: stateSchema.optional(),
});

const masksSchema = named(referenceSchema);

const iterationSchema = z.object({
  realImages: referenceSchema,
  discriminatorLatents: referenceSchema,
  generatorLatents: referenceSchema,
  dropoutMasks: z
    .object({ real: masksSchema, fake: masksSchema, generator: masksSchema })
    .optional(),
  realLoss: z.number(),
  realAccuracy: z.number(),
  fakeLoss: z.number(),
  fakeAccuracy: z.number(),
  generatorLoss: z.number(),
  fakeImages: referenceSchema.optional(),
  rounding: z.object({
    fakeImages: z.number(),
    real: named(z.number()),
    fake: named(z.number()),
    generator: named(z.number()),
  }),
  after: z.object({ real: afterSchema, fake: afterSchema, generator: afterSchema }),
});

const traceSchema = z.object({
  format: z.literal('killme-trace'),
  version: z.literal(1),
  keras: z.string(),
  tensorflow: z.string(),
  latentSize: z.number().int().positive(),
  imageSize: z.number().int().positive(),
  width: z.number().positive(),
  batchSize: z.number().int().positive(),
  dropoutRate: z.number().min(0).max(1),
  adam: z.object({
    learningRate: z.number(),
    beta1: z.number(),
    beta2: z.number(),
    epsilon: z.number(),
  }),
  initial: z.object({
    generator: named(referenceSchema),
    discriminator: named(referenceSchema),
  }),
  iterations: z.array(iterationSchema).min(1),
  final: z
    .object({
      generator: z.object({ weights: named(referenceSchema) }),
      discriminator: z.object({ weights: named(referenceSchema) }),
    })
    .optional(),
});

export type TensorReference = z.infer<typeof referenceSchema>;
export type TensorSample = z.infer<typeof sampleSchema>;
export type TraceState = z.infer<typeof stateSchema>;
export type TraceIteration = z.infer<typeof iterationSchema>;

/** A trace with a way to read the tensors it refers to. */
export type Trace = z.infer<typeof traceSchema> & {
  read(reference: TensorReference): Float32Array;
};

/** @throws UserError when the folder holds no trace, or one of another version. */
export async function readTrace(folder: string): Promise<Trace> {
  const path = join(folder, 'trace.json');
  const parsed = traceSchema.safeParse(await readNamedJson(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new UserError(`${path}: ${issue.path.join('.')}: ${issue.message}`);
  }
  const data = await readNamedFile(join(folder, 'trace.bin'));
  return { ...parsed.data, read: (reference) => readReference(reference, data) };
}

function readReference(reference: TensorReference, data: Uint8Array): Float32Array {
  const size = product(reference.shape);
  switch (reference.encoding) {
    case 'float32':
      return new Float32Array(data.slice(reference.offset, reference.offset + 4 * size).buffer);
    case 'bits':
      return Float32Array.from(
        { length: size },
        (_, i) => (data[reference.offset + (i >> 3)]! >> (i & 7)) & 1,
      );
    case 'shake128': {
      const { scale, shift } = reference;
      return createRandom(reference.key)
        .uniform(size)
        .map((value) => Math.fround(value * scale) + shift);
    }
  }
}
