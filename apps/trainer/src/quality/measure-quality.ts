/**
 * `npm run metrics`: how good made images are, in figures.
 *
 * @module
 */

import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readNamedText, userPath, writeFileWhole } from '@killme/command-line';
import { type Dataset, loadDataset } from '@killme/data';
import { UserError } from '@killme/model';
import { encode } from 'fast-png';
import { mean } from 'simple-statistics';
import { type EngineChoice, startEngine } from '../engines/start.ts';
import { type Classifier, classify, datasetClassifier } from './classifier.ts';
import { compareClouds } from './clouds.ts';
import { type Features, standardizer, takeRows } from './features.ts';
import { type ImageSet, type RealHalves, splitReal } from './image-set.ts';
import {
  findMadeImages,
  type MadeImages,
  readImages,
  renderSeeds,
  type TrainedGenerator,
} from './made-images.ts';
import { compareFeatures, comparePatches, shuffleImages } from './measure.ts';
import { nearestSheet, nearestTrainingImages } from './nearest.ts';
import { partsComparer } from './parts.ts';
import { type QualityReport, qualityReportSchema, qualityTables } from './quality-report.ts';
import { partFeatures, randomFeatures } from './random-network.ts';
import type { BandDistance } from './sliced-wasserstein.ts';
import { measureEvenness, renderMiddles, walkKinds } from './walks.ts';

/** The smallest images that have features of parts. */
const LEAST_SIDE = 32;

/** Side at which images of a folder are measured when nothing is asked for. */
const IMAGE_SIZE = 128;

export interface MeasureOptions {
  /** As `--data` of training; without it the stand-in characters. */
  real?: string | undefined;
  /** A run, a generator file, or a folder or archive of images. */
  fake: string;
  /** Side at which images of a folder are measured; those of a generator are at its own. */
  imageSize?: number | undefined;
  /** Images to generate. */
  count: number;
  seed: number;
  backend: EngineChoice;
  /** Print JSON instead of tables, or also write it to this file. */
  json: boolean | string;
  /** A file that `--json` has written. */
  against?: string | undefined;
  /** PNG of samples beside their nearest training images; without it a run's own folder. */
  nearest?: string | undefined;
}

/**
 * Measures made images against real ones and prints the figures.
 * @throws UserError when there is nothing to measure, or too little.
 */
export async function measureQuality(options: MeasureOptions): Promise<void> {
  const source = await findMadeImages(options.fake);
  const against = options.against === undefined ? undefined : await readReport(options.against);
  const imageSize = sideOf(source, options);
  await startEngine(options.backend, console.error);
  const began = performance.now();
  const real = await loadDataset({
    path: options.real === undefined ? undefined : userPath(options.real),
    imageSize,
    log: console.error,
  });
  checkAgainst(against, real);
  const fake = await makeImages(source, { ...options, imageSize });
  const realSide = await prepareReal(real, options.seed);
  const { report, sheet } = await measure({
    real: realSide,
    fake,
    description: source.kind === 'generator' ? source.generator.description : source.path,
  });
  if (source.kind === 'generator') report.walks = await measureWalks(realSide, source.generator);
  report.seconds = (performance.now() - began) / 1000;
  const picture = options.nearest === undefined ? runPicture(source) : userPath(options.nearest);
  if (picture) {
    await mkdir(dirname(picture), { recursive: true });
    await writeFileWhole(picture, encode({ ...sheet, channels: 3, depth: 8 }));
    console.error(`samples beside their nearest training images: ${picture}`);
  }
  const json = JSON.stringify(report, null, 2);
  if (typeof options.json === 'string') await writeFileWhole(userPath(options.json), `${json}\n`);
  console.log(options.json === true ? json : qualityTables(report, against));
}

const runPicture = (source: MadeImages) =>
  source.kind === 'generator' && source.run ? join(source.run.root, 'nearest.png') : undefined;

/**
 * @throws UserError when a generator is to be measured at another side than it renders, or renders images that
 * cannot be halved down to those of the coarsest band, or are too small for features of their parts.
 */
function sideOf(source: MadeImages, { imageSize }: Pick<MeasureOptions, 'imageSize'>): number {
  if (source.kind === 'folder') return imageSize ?? IMAGE_SIZE;
  const own = source.generator.network.outputShape[0]!;
  if (own < LEAST_SIDE || !Number.isInteger(Math.log2(own))) {
    throw new UserError(
      `${source.generator.description} renders images of ${own} × ${own} pixels: measured are sides of ` +
        `${LEAST_SIDE} pixels, 64, 128 and so on by doubling`,
    );
  }
  if (imageSize === undefined || imageSize === own) return own;
  throw new UserError(
    `--image-size ${imageSize} is for folders of images: ${source.generator.description} is ` +
      `measured at its own ${own}`,
  );
}

async function makeImages(
  source: MadeImages,
  { imageSize, count, seed }: Pick<MeasureOptions, 'count' | 'seed'> & { imageSize: number },
): Promise<ImageSet> {
  if (source.kind === 'folder') {
    return shuffleImages(await readImages(source.path, imageSize), seed);
  }
  let said = performance.now();
  return renderSeeds(source.generator, count, (done) => {
    if (performance.now() - said < 10_000) return;
    said = performance.now();
    console.error(`rendered ${done} of ${count}`);
  });
}

/** What of a measurement is of the real images only: worked out once, it serves many. */
export interface RealSide {
  dataset: Dataset;
  seed: number;
  halves: RealHalves;
  /** Random features of all images. */
  random: Features;
  /** Compares the parts of made images with those of the real ones. */
  compareParts: ReturnType<typeof partsComparer>;
  /** Where there are classes; the features are of its hidden layer. */
  classified: { classifier: Classifier; features: Features } | undefined;
  /** Of patches, by how many images are compared. */
  patchFloors: Map<number, BandDistance[]>;
}

/** @param seed fixes how the images are halved, and all other random numbers. */
export async function prepareReal(dataset: Dataset, seed: number): Promise<RealSide> {
  const halves = splitReal(dataset.count, seed);
  const random = await randomFeatures(dataset);
  const classified =
    dataset.classes.length > 1 ? await classifyReal(dataset, halves, seed) : undefined;
  const compareParts = partsComparer(await partFeatures(dataset), halves);
  return { dataset, seed, halves, random, compareParts, classified, patchFloors: new Map() };
}

async function classifyReal(dataset: Dataset, halves: RealHalves, seed: number) {
  const classifier = await datasetClassifier({ dataset, halves, seed, log: console.error });
  const { features } = await classify(classifier, dataset);
  return { classifier, features };
}

/** All figures of made images, on whatever engine is current. */
export async function measure({
  real,
  fake,
  description,
}: {
  real: RealSide;
  fake: ImageSet;
  description: string;
}) {
  const { dataset, halves, seed } = real;
  const timed = stopwatch();
  const features = await randomFeatures(fake);
  timed('random features');
  const random = compareFeatures(real.random, features, halves, seed);
  timed('rKID, precision, recall, density, coverage');
  const standardize = standardizer(takeRows(real.random, halves.reference));
  const standard = { real: standardize(real.random), fake: standardize(features) };
  const nearest = nearestTrainingImages(standard.real, standard.fake);
  timed('nearest training images');
  const slicedWasserstein = await comparePatches(dataset, fake, halves, seed, real.patchFloors);
  timed('SWD');
  const parts = real.compareParts(await partFeatures(fake));
  timed('parts');
  const clouds = compareClouds(dataset, fake, halves);
  const classifier = real.classified && (await compareClasses(real, real.classified, fake));
  timed('classifier');
  const report: QualityReport = {
    version: 1,
    real: { name: dataset.name, count: dataset.count, fingerprint: dataset.fingerprint },
    fake: { description, count: fake.count },
    seed,
    slicedWasserstein,
    random,
    parts,
    clouds,
    classifier,
    nearest: {
      median: nearest.median,
      trainingMedian: nearest.trainingMedian,
      ratio: nearest.ratio,
      heldOutRatio: heldOutRatio(standard.real, halves),
    },
    seconds: 0,
  };
  return { report, sheet: nearestSheet(dataset, fake, nearest) };
}

/** Walks whose middles are measured: as many as are compared at once, whatever the real images. */
const WALKS = 343;
/** Walks whose every step is measured. */
const EVEN_WALKS = 64;

/** Of each kind of walk that a generator has: how good the images half way are, and how even the way. */
export async function measureWalks(
  { dataset, halves, seed, random, compareParts, patchFloors }: RealSide,
  generator: TrainedGenerator,
): Promise<QualityReport['walks']> {
  const standardize = standardizer(takeRows(random, halves.reference));
  const walks: NonNullable<QualityReport['walks']> = [];
  for (const kind of walkKinds(generator.latent)) {
    const middles = await renderMiddles(generator, kind, WALKS);
    const features = await randomFeatures(middles);
    const { precision, coverage } = compareFeatures(random, features, halves, seed).model;
    const bands = (await comparePatches(dataset, middles, halves, seed, patchFloors)).model;
    const evenness = await measureEvenness(generator, kind, { count: EVEN_WALKS, standardize });
    const slicedWasserstein = mean(bands.map(({ distance }) => distance));
    const parts = compareParts(await partFeatures(middles)).model;
    walks.push({ kind, precision, coverage, slicedWasserstein, parts, ...evenness });
  }
  return walks;
}

/** The ratio that new real images would have: those held out, to the reference half. */
function heldOutRatio(real: Features, { reference, heldOut }: RealHalves): number {
  return nearestTrainingImages(takeRows(real, reference), takeRows(real, heldOut)).ratio;
}

async function compareClasses(
  { dataset, halves, seed }: RealSide,
  { classifier, features }: NonNullable<RealSide['classified']>,
  fake: ImageSet,
) {
  const fakes = await classify(classifier, fake);
  const share = (labels: Uint16Array, index: number) =>
    labels.filter((label) => label === index).length / labels.length;
  return {
    heldOutAccuracy: classifier.heldOutAccuracy,
    scores: compareFeatures(features, fakes.features, halves, seed),
    classes: dataset.classes.map((name, index) => ({
      name,
      real: share(dataset.labels, index),
      made: share(fakes.labels, index),
    })),
  };
}

function stopwatch() {
  let last = performance.now();
  return (what: string) => {
    const now = performance.now();
    console.error(`${what}: ${((now - last) / 1000).toFixed(1)} s`);
    last = now;
  };
}

async function readReport(path: string): Promise<QualityReport> {
  const text = await readNamedText(userPath(path), '--against');
  const parsed = qualityReportSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new UserError(`--against ${path} is not what npm run metrics -- --json writes`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkAgainst(against: QualityReport | undefined, real: Dataset): void {
  if (!against || against.real.fingerprint === real.fingerprint) return;
  throw new UserError(
    `--against was measured with other real images (${against.real.name}): measure it again with ` +
      `--real as here (${real.name})`,
  );
}
