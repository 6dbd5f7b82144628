import { readNamedText, writeFileWhole } from '@killme/command-line';
import { countLabels, type Dataset } from '@killme/data';
import { UserError } from '@killme/model';
import { z } from 'zod';
import type { RunFolder } from './folder.ts';
import { type TrainOptions, trainOptionsSchema } from './options.ts';

const runRecordSchema = z.strictObject({
  options: trainOptionsSchema,
  dataset: z.strictObject({
    name: z.string(),
    count: z.number().int().positive(),
    classes: z.array(z.string()),
    /** Images of each class. */
    classCounts: z.array(z.number().int().positive()),
    fingerprint: z.string(),
  }),
  /** The engines that the run went on, in order. */
  engines: z.array(z.string()),
});

/** What a run is: `options.json`. */
export type RunRecord = z.infer<typeof runRecordSchema>;

export function createRunRecord(options: TrainOptions, dataset: Dataset): RunRecord {
  const { name, count, classes, fingerprint } = dataset;
  const classCounts = countLabels(dataset);
  return {
    options,
    dataset: { name, count, classes: [...classes], classCounts, fingerprint },
    engines: [],
  };
}

export async function writeRunRecord(folder: RunFolder, record: RunRecord): Promise<void> {
  await writeFileWhole(folder.options, `${JSON.stringify(record, null, 2)}\n`);
}

/** @throws UserError when the file is damaged. */
export async function readRunRecord(folder: RunFolder): Promise<RunRecord> {
  const damaged = (why: string) =>
    new UserError(`${folder.options} is damaged (${why}): mend it by hand or start another run`);
  const text = await readNamedText(folder.options);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error));
  }
  const { data, error } = runRecordSchema.safeParse(json);
  if (error) throw damaged(`${error.issues[0]!.path.join('.')}: ${error.issues[0]!.message}`);
  const { count, classes, classCounts } = data.dataset;
  const total = classCounts.reduce((sum, one) => sum + one, 0);
  if (classes.length !== classCounts.length || total !== count) {
    throw damaged('dataset: its classes do not add up to its count');
  }
  // A person may have renamed or copied the folder.
  return { ...data, options: { ...data.options, name: folder.name } };
}
