/**
 * What scripts/assemble.ts has put among the static assets, for the Worker that serves them.
 *
 * @module
 */
import * as z from 'zod';

/** The asset that says it. */
export const DEPLOYMENT_FILE = 'deployment.json';

const generatorSchema = z.strictObject({
  name: z.string(),
  /** The folder of its files among the assets. */
  folder: z.string(),
  /** Served at its pinned addresses only. */
  kept: z.boolean(),
  /** Pictures of its gallery among the assets; absent when it has none. */
  gallery: z.number().int().min(1).optional(),
});

const deploymentSchema = z.strictObject({
  /** The first is where none is named. */
  generators: z.array(generatorSchema).min(1),
  /** No generator is ever replaced, so every picture may be kept for a year. */
  immutable: z.boolean(),
});

export type Deployment = z.infer<typeof deploymentSchema>;

/** @throws ZodError when it is none. */
export const readDeployment = (bytes: Uint8Array): Deployment =>
  deploymentSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));

export const writeDeployment = (deployment: Deployment): string =>
  `${JSON.stringify(deployment)}\n`;
