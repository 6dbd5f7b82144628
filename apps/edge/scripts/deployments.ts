/**
 * What `npm run deploy` has put on Cloudflare from this machine, so that the next deployment can say which
 * addresses it takes away.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { userFolder, writeFileWhole } from '@killme/command-line';
import { readGeneratorManifest } from '@killme/model';
import * as z from 'zod';
import { GALLERY_GENERATOR } from '../src/generator/gallery.ts';
import { pinOf } from '../src/generator/pin.ts';
import { folderReader } from '../src/runtimes/disk.ts';
import type { Served } from './arguments.ts';
import type { Assembled } from './assemble.ts';
import { EDGE_FOLDER } from './wrangler.ts';

const RECORD = `${EDGE_FOLDER}/.deployed.json`;

const deploymentSchema = z.strictObject({
  /** When, by ISO 8601. */
  at: z.string(),
  generators: z.array(
    z.strictObject({
      pin: z.string(),
      hash: z.string(),
      /** What `--keep` takes: the generator's, or that of its gallery. */
      folder: z.string(),
    }),
  ),
});

export type DeploymentRecord = z.infer<typeof deploymentSchema>;

/** By Worker, as `wrangler deploy` was told which. */
const recordSchema = z.record(z.string(), deploymentSchema);

/** What a deployment has, to be remembered. */
export const describeDeployment = (
  { generators }: Served,
  assembled: readonly Assembled[],
): DeploymentRecord => ({
  at: new Date().toISOString(),
  generators: assembled.map(({ hash, pictures }, i) => ({
    pin: pinOf({ hash, gallery: pictures === undefined ? undefined : { pictures } }),
    hash,
    folder: generators[i]!.gallery ?? generators[i]!.folder,
  })),
});

/** Which Worker the arguments of `wrangler deploy` mean, in words of their own; its configuration's when empty. */
export function workerOf(rest: readonly string[]): string {
  const { values } = parseArgs({
    args: [...rest],
    strict: false,
    options: {
      name: { type: 'string', short: 'n' },
      env: { type: 'string', short: 'e' },
      config: { type: 'string', short: 'c' },
    },
  });
  return Object.entries(values)
    .filter(([option]) => ['name', 'env', 'config'].includes(option))
    .map(([option, value]) => `--${option} ${value}`)
    .sort()
    .join(' ');
}

/** The newest deployment of a Worker from this machine, if there is one. */
export async function newestDeployment(
  worker: string,
  file = RECORD,
): Promise<DeploymentRecord | undefined> {
  return (await readRecord(file))[worker];
}

/** Remembers what a Worker has now. */
export async function rememberDeployment(
  worker: string,
  deployment: DeploymentRecord,
  file = RECORD,
): Promise<void> {
  const record = { ...(await readRecord(file)), [worker]: deployment };
  await writeFileWhole(file, `${JSON.stringify(record, null, 1)}\n`);
}

/** A record that cannot be read says nothing. */
async function readRecord(file: string): Promise<z.infer<typeof recordSchema>> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

/**
 * A line for each generator whose pinned addresses end with a deployment.
 * @param before the newest deployment
 * @param after the one that takes its place
 */
export async function linesOfVanishing(
  before: DeploymentRecord,
  after: DeploymentRecord,
): Promise<string[]> {
  // A generator with a gallery renders at its own pin too.
  const stays = new Set(
    after.generators.flatMap(({ pin, hash }) => [pin, pinOf({ hash, gallery: undefined })]),
  );
  const vanishing = before.generators.filter(({ pin }) => !stays.has(pin));
  return Promise.all(
    vanishing.map(async ({ pin, hash, folder }) => {
      const shown = relative(userFolder(), folder) || '.';
      const advice =
        (await hashIn(folder)) === hash
          ? `keep it with --keep ${shown}`
          : `to keep it, --keep takes a copy of it, as ${shown} holds another generator now`;
      return (
        `/v/${pin}, deployed on ${before.at.slice(0, 10)}, is not in this deployment: ` +
        `pictures that others have embedded from there will be 404; ${advice}`
      );
    }),
  );
}

/** The hash of the generator in a folder, or in that of a gallery. */
async function hashIn(folder: string): Promise<string | undefined> {
  const found = await Promise.allSettled(
    [folder, `${folder}/${GALLERY_GENERATOR}`].map((each) =>
      readGeneratorManifest(folderReader(each)),
    ),
  );
  return found.find((each) => each.status === 'fulfilled')?.value.hash;
}
