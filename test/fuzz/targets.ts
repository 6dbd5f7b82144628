/**
 * What the fuzz attacks: each target takes damaged or hostile input and has to refuse it in one line,
 * or to take it for what it is. Anything else is a finding.
 *
 * @module
 */
import '@tensorflow/tfjs-backend-cpu';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage, endIdleDecoders, ImageFault, loadDataset } from '@killme/data';
import { makeRar5, makeZip } from '@killme/data/testing/archives';
import { createApp, diskOptions, nameFolder } from '@killme/edge';
import { randomGeneratorFiles } from '@killme/edge/testing';
import {
  articleDiscriminator,
  articleGenerator,
  GENERATOR_MANIFEST,
  loadGeneratorFile,
  type Random,
  sealManifest,
  UserError,
} from '@killme/model';
import {
  initializeNetwork,
  parseGivenOptions,
  readNewestCheckpoint,
  saveCheckpoint,
} from '@killme/trainer';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { buildPage } from '../../apps/edge/scripts/build-page.ts';
import { expectServer, type Refusal, type Server, startDeno, startNode } from '../servers.ts';
import { startBareWorkerd } from '../workerd/bare.ts';
import { attackConnection, createHttpAttack, overHttp } from './http.ts';
import { mutate, pick } from './mutate.ts';

export interface Target {
  name: string;
  attack: Attack;
}

/** @throws what is a finding. */
type Attack = (random: Random) => Promise<void>;

/** Where a target works, and what has to be ended after it. */
interface Workplace {
  folder: string;
  atEnd: (end: () => Promise<unknown>) => void;
}

/** What can be attacked in this process. */
const INPUTS: Record<string, (workplace: Workplace) => Promise<Attack>> = {
  http: async ({ folder }) =>
    createHttpAttack(createApp(diskOptions([nameFolder(await writeSmallGenerator(folder))]))),
  generator: generatorTarget,
  manifest: manifestTarget,
  checkpoint: checkpointTarget,
  options: async () => attackOptions,
  archive: archiveTarget,
  image: imageTarget,
};

/** Servers, each a process of its own. */
const SERVERS: typeof INPUTS = {
  workerd: (workplace) => servedTarget(workplace, startBareWorkerd),
  deno: (workplace) => servedTarget(workplace, startDeno),
  node: (workplace) =>
    servedTarget(workplace, (generator) =>
      startNode(generator, undefined, ['--cache', 'off', '--access-log', 'off']),
    ),
};

/** The names of targets: the inputs, then the servers. */
export const TARGETS = { inputs: Object.keys(INPUTS), servers: Object.keys(SERVERS) };

/** These targets, ready; `clean` ends their servers and removes their files. */
export async function createTargets(
  names: readonly string[],
): Promise<{ targets: Target[]; clean(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'killme-fuzz-'));
  const ends: (() => Promise<unknown>)[] = [];
  const clean = async () => {
    endIdleDecoders();
    await Promise.all(ends.map((end) => end()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const targets: Target[] = [];
    for (const name of names) {
      const create = { ...INPUTS, ...SERVERS }[name]!;
      targets.push({ name, attack: await create({ folder, atEnd: (end) => ends.push(end) }) });
    }
    return { targets, clean };
  } catch (error) {
    await clean();
    throw error;
  }
}

async function writeSmallGenerator(folder: string): Promise<string> {
  const generator = join(folder, 'generator');
  await writeFiles(generator, await randomGeneratorFiles({ imageSize: 32 }));
  return generator;
}

/** Requests by HTTP, and bytes that are none. */
async function servedTarget(
  { folder, atEnd }: Workplace,
  startServer: (generator: string) => Promise<Server | Refusal>,
): Promise<Attack> {
  await buildPage();
  const { origin, stop } = expectServer(await startServer(await writeSmallGenerator(folder)));
  atEnd(stop);
  const server = overHttp(origin);
  const attackRoutes = await createHttpAttack(server);
  return (random) =>
    random.integers(1, 4)[0] === 0
      ? attackConnection(server, origin, random)
      : attackRoutes(random);
}

/** A file of which any bit has changed is refused. */
async function generatorTarget() {
  const files = await randomGeneratorFiles({ imageSize: 16, encoding: 'int8' });
  return async (random: Random) => {
    const name = pick(random, [...files.keys()]);
    const damaged = new Map(files).set(name, mutate(files.get(name)!, random));
    const read = async (file: string) => {
      const bytes = damaged.get(file);
      if (bytes === undefined) throw new UserError(`${file} is not there`);
      return bytes;
    };
    if (await refuses(() => loadGeneratorFile(read))) return;
    throw new Error(`a damaged ${name} was accepted`);
  };
}

/** A manifest whose hash is right and whose values are hostile is refused, or is a generator. */
async function manifestTarget() {
  const files = await randomGeneratorFiles({ imageSize: 16 });
  const text = new TextDecoder().decode(files.get(GENERATOR_MANIFEST));
  return async (random: Random) => {
    const { sha256: _, ...manifest } = JSON.parse(text);
    for (let i = random.integers(1, 3)[0]!; i >= 0; i--) setSomeValue(manifest, random);
    const hostile = new Map(files).set(GENERATOR_MANIFEST, await sealManifest(manifest));
    await refuses(() => loadGeneratorFile(async (name) => hostile.get(name) ?? new Uint8Array()));
  };
}

const HOSTILE = [-1, 0, 1.5, 1e6, 1e9, 2 ** 53, '', '\0', null, [], {}, [1e6, 1e6], [[]], true];

/** Walks down a random path of a JSON value and changes what lies at its end. */
function setSomeValue(root: object, random: Random): void {
  let at = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = pick(random, keys);
    const value = at[key];
    const isLeaf = typeof value !== 'object' || value === null || random.integers(1, 6)[0] === 0;
    if (isLeaf) {
      at[key] = structuredClone(pick(random, HOSTILE));
      return;
    }
    at = value as Record<string, unknown>;
  }
}

/** A damaged checkpoint is passed over. */
async function checkpointTarget({ folder }: Workplace) {
  await tf.setBackend('cpu');
  const size = { imageSize: 16, width: 1 / 16 };
  const file = await saveCheckpoint(
    folder,
    { iteration: 1 },
    {
      generator: initializeNetwork(articleGenerator(size), 'fuzz/generator'),
      discriminator: initializeNetwork(articleDiscriminator(size), 'fuzz/discriminator'),
      encoder: undefined,
      ema: undefined,
    },
  );
  const whole = await readFile(file);
  return async (random: Random) => {
    await writeFile(file, mutate(whole, random));
    const checkpoint = await readNewestCheckpoint(folder, () => {});
    if (checkpoint !== undefined) throw new Error('a damaged checkpoint was read');
  };
}

async function attackOptions(random: Random): Promise<void> {
  const names = [
    'preset',
    'batch',
    'iterations',
    'seed',
    'data',
    'loss',
    'augment',
    '__proto__',
    '',
  ];
  const values = [-1, 0, 1.5, 1e9, 2 ** 53, '', '3', 'on', null, true, [], {}, ['x'], '\0', '../x'];
  const given = Object.fromEntries(
    Array.from(random.integers(3, names.length), (at) => [names[at]!, pick(random, values)]),
  );
  await refuses(async () => parseGivenOptions(given, { file: 'options.json' }));
}

async function archiveTarget({ folder }: Workplace) {
  const png = (background: string) =>
    sharp({ create: { width: 8, height: 8, channels: 3, background } })
      .png()
      .toBuffer();
  const entries = [
    { path: 'a/1.png', bytes: await png('#f00') },
    { path: 'b/2.png', bytes: await png('#0f0') },
    { path: 'あ/3.png', bytes: await png('#00f') },
  ];
  const archives = [makeZip(entries), makeRar5(entries)];
  const file = join(folder, 'icons.zip');
  return async (random: Random) => {
    await writeFile(file, mutate(pick(random, archives), random));
    await refuses(() => loadDataset({ path: file, imageSize: 8 }));
  };
}

async function imageTarget() {
  const image = sharp({ create: { width: 24, height: 24, channels: 4, background: '#f80c' } });
  const images = await Promise.all([
    ...(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const).map((format) =>
      image.clone().toFormat(format).toBuffer(),
    ),
    Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M1 1h7" stroke="#f00" stroke-dasharray="1 2"/></svg>',
    ),
    Buffer.from(
      'Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAADEDgAAxA4AAAAAAAAAAAAA/wAABwgJAAAAAP8A/wAAAA==',
      'base64',
    ),
  ]);
  return async (random: Random) => {
    const bytes = mutate(pick(random, images), random);
    await refuses(() => decodeImage(bytes, { size: 8, frames: pick(random, ['first', 'all']) }));
  };
}

/**
 * @returns whether it was refused as it should be: by an error for the person, in one line.
 * @throws any other error.
 */
async function refuses(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    const isForPeople = error instanceof UserError || error instanceof ImageFault;
    if (isForPeople && !error.message.includes('\n')) return true;
    throw error;
  }
}

async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
}
