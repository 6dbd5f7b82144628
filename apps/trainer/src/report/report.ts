/**
 * `runs/<name>/report.html`: how a run has learned so far, in one file that opens from disk and can be
 * passed on by itself.
 *
 * @module
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole } from '@killme/command-line';
import { CHARACTERS } from '@killme/data';
import sharp from 'sharp';
import { readQuality } from '../quality/quality-file.ts';
import type { RunFolder } from '../run/folder.ts';
import { readMetrics } from '../run/metrics.ts';
import { presetOf } from '../run/options.ts';
import type { RunRecord } from '../run/record.ts';
import { sampleFile } from '../run/samples.ts';
import { steadyIndices } from './chart.ts';
import { type ReportSample, reportPage } from './page.ts';

/** With a grid of at most some 100 kB each, the file stays small enough to be mailed. */
const MOST_SAMPLES = 40;
/** The run's own PNG files are as large as 0.9 MB; these copies look the same on a page. */
const WEBP_QUALITY = 80;

/** Keeps the report of one run; it remembers the pictures it has made smaller. */
export interface Report {
  /** Writes the report anew, from what the run's folder holds. */
  write(): Promise<void>;
}

export function createReport(folder: RunFolder, record: RunRecord): Report {
  let pictures = new Map<string, string>();

  async function dataUri(file: string): Promise<[string, string]> {
    const known = pictures.get(file);
    if (known) return [file, known];
    const webp = await sharp(join(folder.samples, file)).webp({ quality: WEBP_QUALITY }).toBuffer();
    return [file, `data:image/webp;base64,${webp.toString('base64')}`];
  }

  return {
    async write() {
      const history = await readMetrics(folder.metrics);
      const all = await sampledIterations(folder, history.seconds.length);
      const chosen = steadyIndices(all.length, MOST_SAMPLES).map((i) => all[i]!);
      pictures = new Map(await Promise.all(chosen.flatMap(sampleFiles).map(dataUri)));
      const samples = chosen.map((iteration): ReportSample => {
        const [grid, strip] = sampleFiles(iteration).map((file) => pictures.get(file)!);
        return { iteration, grid: grid!, strip: strip! };
      });
      const page = reportPage({
        record,
        preset: presetOf(record),
        history,
        quality: await readQuality(folder.quality),
        samples,
        sampleCount: all.length,
        written: new Date(),
        credit: record.options.data === null ? CHARACTERS.credit : undefined,
        ...(await pageAssets()),
      });
      await writeFileWhole(folder.report, page);
    },
  };
}

const sampleFiles = (iteration: number) => [
  sampleFile('grid', iteration),
  sampleFile('strip', iteration),
];

/** Those with both pictures; what a run left beyond its newest iteration will come again. */
async function sampledIterations(folder: RunFolder, done: number): Promise<number[]> {
  const files = new Set(await readdir(folder.samples));
  return [...files]
    .map((file) => /^grid-(\d+)\.png$/.exec(file)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .filter((n) => n <= done && sampleFiles(n).every((file) => files.has(file)))
    .sort((a, b) => a - b);
}

async function pageAssets(): Promise<{ style: string; script: string }> {
  const asset = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');
  return { style: await asset('page.css'), script: await asset('page.js') };
}
