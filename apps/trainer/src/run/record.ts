import { readFile } from 'node:fs/promises';
import { countLabels, type Dataset } from '@killme/data';
import { UserError } from '@killme/model';
import { z } from 'zod';
import { type RunFolder, writeFileWhole } from './folder.ts';
import { type TrainOptions, trainOptionsSchema } from './options.ts';

const runRecordSchema = z.strictObject({
  options: trainOptionsSchema,
  dataset: z.strictObject({
    name: z.string(),
    count: z.number().int(),
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
  try {
    return runRecordSchema.parse(JSON.parse(await readFile(folder.options, 'utf8')));
  } catch {
    throw new UserError(`${folder.options} is damaged: mend it by hand or start another run`);
  }
}
