import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Job } from 'kubernetes-models/batch/v1';
import { PersistentVolumeClaim } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

const FOLDER = join(import.meta.dirname, '../../deploy/kubernetes');

const KINDS = { Job, PersistentVolumeClaim };

function readManifests(name: string) {
  const documents = parseAllDocuments(readFileSync(join(FOLDER, name), 'utf8'));
  return documents.map((document) => document.toJS() as { kind: keyof typeof KINDS });
}

describe('the manifests of a sweep', () => {
  it.each(['ablate.yaml', 'merge.yaml'])('%s fits the schema of Kubernetes', (name) => {
    for (const manifest of readManifests(name)) {
      expect(() => new KINDS[manifest.kind](manifest as never).validate()).not.toThrow();
    }
  });

  it('a field of another type does not', () => {
    const job = readManifests('merge.yaml')[0] as unknown as { spec: { backoffLimit: unknown } };
    job.spec.backoffLimit = 'none';
    expect(() => new Job(job as never).validate()).toThrow(/backoffLimit/);
  });

  it('the Job has a number for each task, and tries each again by itself', () => {
    const [, job] = readManifests('ablate.yaml') as unknown as [unknown, { spec: object }];
    expect(job.spec).toMatchObject({
      completionMode: 'Indexed',
      completions: 3,
      backoffLimitPerIndex: 4,
    });
  });
});
