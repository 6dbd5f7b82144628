/**
 * What `npm run metrics` says: as JSON, and as tables.
 *
 * @module
 */
import { mean } from 'simple-statistics';
import { z } from 'zod';
import { number, numberTable } from '../text/markdown.ts';
import { WALK_KINDS } from './walks.ts';

const featureScoresSchema = z.object({
  precision: z.number(),
  recall: z.number(),
  density: z.number(),
  coverage: z.number(),
  kernelDistance: z.object({ mean: z.number(), deviation: z.number() }),
});
const bandsSchema = z.array(z.object({ side: z.number(), distance: z.number() }));
const withFloor = <T extends z.ZodType>(schema: T) => z.object({ model: schema, floor: schema });

/** The figures of one measurement; what `--json` prints and `--against` reads. */
export const qualityReportSchema = z.object({
  version: z.literal(1),
  real: z.object({ name: z.string(), count: z.number(), fingerprint: z.string() }),
  fake: z.object({ description: z.string(), count: z.number() }),
  seed: z.number(),
  slicedWasserstein: withFloor(bandsSchema),
  random: withFloor(featureScoresSchema),
  /** Mean distance of the worst parts; reports from before 2026-11-29 have none. */
  parts: withFloor(z.number()).optional(),
  /** Share of images whose background has patches of other colours; none where real ones have no plain one. */
  clouds: withFloor(z.number()).optional(),
  /** Of generators: half way of random walks, and how even walks are in random features. */
  walks: z
    .array(
      z.object({
        kind: z.enum(WALK_KINDS),
        precision: z.number(),
        coverage: z.number(),
        slicedWasserstein: z.number(),
        parts: z.number().optional(),
        pathLength: z.number(),
        largestStep: z.number(),
      }),
    )
    .optional(),
  classifier: z
    .object({
      heldOutAccuracy: z.number(),
      scores: withFloor(featureScoresSchema),
      /** Share of images by class: real ones by their labels, made ones by what the classifier says. */
      classes: z.array(z.object({ name: z.string(), real: z.number(), made: z.number() })),
    })
    .optional(),
  /**
   * Distances in random features; a ratio well below 1 means copies. The held-out ratio is of new real
   * images to the reference half.
   */
  nearest: z.object({
    median: z.number(),
    trainingMedian: z.number(),
    ratio: z.number(),
    heldOutRatio: z.number(),
  }),
  seconds: z.number(),
});

export type QualityReport = z.infer<typeof qualityReportSchema>;

interface Row {
  name: string;
  model: number;
  floor: number;
  deviation?: { model: number; floor: number };
}

/** @param against a measurement with the same real images, whose scores count as 1. */
export function qualityTables(report: QualityReport, against?: QualityReport): string {
  const other = against && new Map(scoreRows(against).map((row) => [row.name, row.model]));
  const head = ['', report.fake.description, 'real, held out', ...(against ? ['normalised'] : [])];
  const cells = scoreRows(report).map(({ name, model, floor, deviation }) => [
    name,
    number(model) + (deviation ? ` ± ${number(deviation.model)}` : ''),
    number(floor) + (deviation ? ` ± ${number(deviation.floor)}` : ''),
    ...(other ? [score(normalised(model, floor, other.get(name)))] : []),
  ]);
  const parts = [numberTable([head, ...cells])];
  const { classifier, nearest } = report;
  if (classifier) {
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    const classes = classifier.classes.map(({ name, real, made }) => [
      name,
      percent(made),
      percent(real),
    ]);
    parts.push(
      `The classifier is right on ${percent(classifier.heldOutAccuracy)} of the held-out images. ` +
        'What it takes images for, and what the real ones are:',
      numberTable([['class', 'made', 'real'], ...classes]),
    );
  }
  if (report.walks) parts.push(...walkTable(report, report.walks));
  parts.push(
    `Median distance to the nearest training image: ${number(nearest.median)} (training images to ` +
      `their nearest other: ${number(nearest.trainingMedian)}); ratio ${number(nearest.ratio)}, of held-out real ` +
      `images ${number(nearest.heldOutRatio)}; copies would be near 0.`,
  );
  return parts.join('\n\n');
}

/** In brackets the ratio to the same figure of seeds. */
function walkTable(
  { random, slicedWasserstein, parts }: QualityReport,
  walks: NonNullable<QualityReport['walks']>,
): string[] {
  const seeds = {
    precision: random.model.precision,
    coverage: random.model.coverage,
    slicedWasserstein: mean(slicedWasserstein.model.map(({ distance }) => distance)),
    parts: parts?.model,
  };
  const besideSeeds = (walk: (typeof walks)[number], figure: keyof typeof seeds) => {
    const [own, ofSeeds] = [walk[figure], seeds[figure]];
    return own === undefined || ofSeeds === undefined
      ? '–'
      : `${number(own)} (${number(own / ofSeeds)})`;
  };
  const cells = walks.map((walk) => [
    walk.kind,
    besideSeeds(walk, 'precision'),
    besideSeeds(walk, 'coverage'),
    besideSeeds(walk, 'slicedWasserstein'),
    besideSeeds(walk, 'parts'),
    number(walk.pathLength),
    number(walk.largestStep),
  ]);
  const head = [
    'walks',
    'precision',
    'coverage',
    'SWD ×10³',
    'parts',
    'path length',
    'largest step',
  ];
  return [
    'Half way between random seeds of one class (within) or of two (between), and in brackets the ratio ' +
      'to seeds. The path length is that of 16 steps over the distance of the ends, the largest step its ' +
      'share of the path (0.0625 where a walk is even):',
    numberTable([head, ...cells]),
  ];
}

/** Every score with the name it is shown under. */
function scoreRows(report: QualityReport): Row[] {
  const { slicedWasserstein, random, parts, clouds, classifier } = report;
  const { model, floor } = slicedWasserstein;
  const meanOf = (bands: typeof model) => mean(bands.map(({ distance }) => distance));
  return [
    ...model.map(({ side, distance }, i) => ({
      name: `SWD ${side} ×10³`,
      model: distance,
      floor: floor[i]!.distance,
    })),
    { name: 'SWD mean ×10³', model: meanOf(model), floor: meanOf(floor) },
    ...featureRows('random', random),
    ...(parts ? [{ name: 'parts', ...parts }] : []),
    ...(clouds ? [{ name: 'clouds', ...clouds }] : []),
    ...(classifier ? featureRows('classifier', classifier.scores) : []),
  ];
}

function featureRows(space: string, { model, floor }: QualityReport['random']): Row[] {
  const shares = (['precision', 'recall', 'density', 'coverage'] as const).map((name) => ({
    name: `${name}, ${space}`,
    model: model[name],
    floor: floor[name],
  }));
  return [
    {
      name: space === 'random' ? 'rKID' : `KID, ${space}`,
      model: model.kernelDistance.mean,
      floor: floor.kernelDistance.mean,
      deviation: {
        model: model.kernelDistance.deviation,
        floor: floor.kernelDistance.deviation,
      },
    },
    ...shares,
  ];
}

/**
 * A figure on the scale of two others: 0 is as real images that were held out, 1 as the other
 * generator. None where that one is as good as real images.
 */
export function normalised(
  model: number,
  floor: number,
  other: number | undefined,
): number | undefined {
  const span = other === undefined ? 0 : other - floor;
  return span === 0 ? undefined : (model - floor) / span;
}

const score = (value: number | undefined) => value?.toFixed(3) ?? '–';
