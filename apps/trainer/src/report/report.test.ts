import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { appendQuality, startQualityFile } from '../quality/quality-file.ts';
import { type RunFolder, runFolder } from '../run/folder.ts';
import { appendMetrics, startMetricsFile } from '../run/metrics.ts';
import { resolveOptions } from '../run/options.ts';
import type { RunRecord } from '../run/record.ts';
import { sampleFile } from '../run/samples.ts';
import { createReport } from './report.ts';

const record: RunRecord = {
  options: resolveOptions({
    name: 'first',
    iterations: 100,
    data: '/a/"><script>alert(1)</script>',
  }),
  dataset: {
    name: '<img src=x>',
    count: 686,
    classes: ['a&b'],
    classCounts: [686],
    fingerprint: '00',
  },
  engines: ['wasm (2 threads)', 'tensorflow (CPU)'],
};

function makeRun({ iterations = 0, samples = [] as number[] } = {}): RunFolder {
  const folder = runFolder('first', mkdtempSync(join(tmpdir(), 'killme-')));
  mkdirSync(folder.samples, { recursive: true });
  const rows = Array.from({ length: iterations }, (_, i) => `${i},0.5,0.7,0.75,0.5,${i},2\n`);
  const header = 'iteration,realLoss,fakeLoss,realAccuracy,fakeAccuracy,generatorLoss,seconds\n';
  writeFileSync(folder.metrics, header + rows.join(''));
  const png = encode({ width: 5, height: 5, data: new Uint8Array(75), channels: 3, depth: 8 });
  for (const iteration of samples) {
    writeFileSync(join(folder.samples, sampleFile('grid', iteration)), png);
    writeFileSync(join(folder.samples, sampleFile('strip', iteration)), png);
  }
  return folder;
}

async function reportOf(folder: RunFolder): Promise<string> {
  await createReport(folder, record).write();
  return readFileSync(folder.report, 'utf8');
}

const gridsIn = (page: string) =>
  [...page.matchAll(/<img src="data:image\/webp;base64,[^"]+" data-iteration="(\d+)"/g)].map((m) =>
    Number(m[1]),
  );

describe('a report', () => {
  it('asks nothing of any server or file', async () => {
    const page = await reportOf(makeRun({ iterations: 3, samples: [0, 2] }));
    expect(page).not.toMatch(/https?:\/\/|@import|url\(/);
    for (const [, source] of page.matchAll(/(?:src|href)="([^"]*)"/g)) {
      expect(source).toMatch(/^data:/);
    }
  });

  it('escapes names and paths', async () => {
    const page = await reportOf(makeRun());
    expect(page).toContain('&lt;img src=x&gt;');
    expect(page).toContain('/a/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain('a&amp;b');
    expect(page).not.toMatch(/<img src=x>|<script>alert/);
  });

  it('says how far the run is, how fast, and on which engines', async () => {
    const page = await reportOf(makeRun({ iterations: 25 }));
    expect(page).toContain('25 <small>of 100</small>');
    expect(page).toContain('<dt>Trained for</dt><dd>50 s</dd>');
    expect(page).toContain('2 min 30 s');
    expect(page).toContain('wasm (2 threads), then tensorflow (CPU)');
  });

  it.each([0, 1, 3])('is a whole page after %d iterations', async (iterations) => {
    const page = await reportOf(makeRun({ iterations, samples: [0] }));
    expect(page).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(page.replace(/<(style|script)[\s\S]*?<\/\1>/g, '')).not.toMatch(
      /NaN|undefined|Infinity/,
    );
  });

  it('shows the grids in time, and none from beyond the newest iteration', async () => {
    const folder = makeRun({ iterations: 12, samples: [0, 4, 8, 12, 16] });
    expect(gridsIn(await reportOf(folder))).toEqual([0, 4, 8, 12]);
  });

  it('shows at most 40 of many grids, the first and the newest among them', async () => {
    const samples = Array.from({ length: 101 }, (_, i) => i);
    const grids = gridsIn(await reportOf(makeRun({ iterations: 100, samples })));
    expect(grids.length).toBeLessThanOrEqual(40);
    expect(grids[0]).toBe(0);
    expect(grids.at(-1)).toBe(100);
  });

  it('shows quality where it has been measured, and no such section where it has not', async () => {
    const folder = makeRun({ iterations: 12 });
    expect(await reportOf(folder)).not.toContain('<h2>Quality</h2>');
    const scores = { precision: 0.5, recall: 0.25, density: 0.5, coverage: 0.375, nearestRatio: 2 };
    const floors = { kernelDistanceFloor: -0.01, precisionFloor: 0.9, recallFloor: 0.8 };
    const walks = {
      walkPrecision: 0.4,
      walkCoverage: 0.3,
      walkPathLength: 1.5,
      walkLargestStep: 0.2,
      clouds: undefined,
      cloudsFloor: undefined,
      parts: 0.5,
      partsFloor: 0.0625,
    };
    const row = { ...scores, ...floors, ...walks, densityFloor: 1, coverageFloor: 0.7 };
    await startQualityFile(folder.quality, 0);
    await appendQuality(folder.quality, 5, { kernelDistance: 9000, ...row });
    await appendQuality(folder.quality, 10, { kernelDistance: 0.75, ...row });
    const page = await reportOf(folder);
    expect(page).toContain('<h2>Quality</h2>');
    expect(page).toContain('the highest is 9000.00 (made, iteration 5)');
    expect(page).toContain('coverage <b data-line="2">0.38</b>');
    expect(page).toContain('reach 0.90, 0.80 and 0.70');
    expect(page).toContain('"iterations":[5,10],"lines":[[9000,0.75]]');
  });

  it('of a run that warms up shows the reconstruction loss, and nothing yet of D', async () => {
    expect(await reportOf(makeRun({ iterations: 3 }))).not.toContain('Reconstruction loss');
    const folder = makeRun();
    await startMetricsFile(folder.metrics, 0);
    await appendMetrics(folder.metrics, 0, { reconstructionLoss: 0.25, seconds: 1 });
    const page = await reportOf(folder);
    expect(page).toContain('G <b data-line="0">0.25</b>');
    expect(page).toContain('mean <b data-line="2">–</b>');
    expect(page.replace(/<(style|script)[\s\S]*?<\/\1>/g, '')).not.toMatch(/NaN|undefined/);
  });

  it('passes over the row that a kill cut off', async () => {
    const folder = makeRun({ iterations: 2 });
    writeFileSync(folder.metrics, '2,0.5,0.', { flag: 'a' });
    expect(await reportOf(folder)).toContain('2 <small>of 100</small>');
  });
});
