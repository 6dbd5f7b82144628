import { mkdtempSync, readFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appendMetrics, formatLogLine, readMetrics, startMetricsFile } from './metrics.ts';

const metrics = {
  realLoss: 0.5,
  fakeLoss: 1,
  realAccuracy: 0.75,
  fakeAccuracy: 0.5,
  generatorLoss: 2.25,
  seconds: 1.5,
};

describe('formatLogLine', () => {
  it('is the article’s "%d [D loss: %f, acc.: %.2f%%] [G loss: %f]"', () => {
    expect(formatLogLine(12, metrics)).toBe(
      '12 [D loss: 0.750000, acc.: 62.50%] [G loss: 2.250000]',
    );
  });

  it('has the reconstruction loss where there is one, and no D where D rests', () => {
    expect(formatLogLine(12, { ...metrics, reconstructionLoss: 0.0625 })).toBe(
      '12 [D loss: 0.750000, acc.: 62.50%] [G loss: 2.250000] [reconstruction loss: 0.062500]',
    );
    expect(formatLogLine(12, { seconds: 1.5, reconstructionLoss: 0.0625 })).toBe(
      '12 [warm-up] [reconstruction loss: 0.062500]',
    );
  });
});

describe('metrics.csv', () => {
  it('has a row an iteration, and goes back to where a run is resumed', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'killme-')), 'metrics.csv');
    await startMetricsFile(path, 0);
    for (const iteration of [0, 1, 2]) await appendMetrics(path, iteration, metrics);
    await startMetricsFile(path, 2);
    await appendMetrics(path, 2, { ...metrics, seconds: 9 });
    expect(readFileSync(path, 'utf8')).toBe(
      [
        'iteration,realLoss,fakeLoss,realAccuracy,fakeAccuracy,generatorLoss,seconds,reconstructionLoss',
        '0,0.5,1,0.75,0.5,2.25,1.5,',
        '1,0.5,1,0.75,0.5,2.25,1.5,',
        '2,0.5,1,0.75,0.5,2.25,9,',
        '',
      ].join('\n'),
    );
  });

  it('loses a row that a kill has cut off, whose number may be that of another', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'killme-')), 'metrics.csv');
    await startMetricsFile(path, 0);
    await appendMetrics(path, 0, metrics);
    await appendFile(path, '1'); // of 12
    await startMetricsFile(path, 12);
    expect((await readMetrics(path)).seconds).toEqual(Float64Array.of(1.5));
  });

  it('is read back by columns', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'killme-')), 'metrics.csv');
    await startMetricsFile(path, 0);
    expect((await readMetrics(path)).seconds).toEqual(new Float64Array(0));
    await appendMetrics(path, 0, metrics);
    await appendMetrics(path, 1, { ...metrics, generatorLoss: 0.125 });
    const { generatorLoss, seconds } = await readMetrics(path);
    expect(generatorLoss).toEqual(Float64Array.of(2.25, 0.125));
    expect(seconds).toEqual(Float64Array.of(1.5, 1.5));
  });

  it('has no number where the step took none, nor where an older version wrote the row', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'killme-')), 'metrics.csv');
    await startMetricsFile(path, 0);
    await appendFile(path, '0,0.5,1,0.75,0.5,2.25,1.5\n');
    await appendMetrics(path, 1, { seconds: 2, reconstructionLoss: 0 });
    const { generatorLoss, reconstructionLoss } = await readMetrics(path);
    expect(generatorLoss).toEqual(Float64Array.of(2.25, Number.NaN));
    expect(reconstructionLoss).toEqual(Float64Array.of(Number.NaN, 0));
  });
});
