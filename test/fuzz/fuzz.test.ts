import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

describe('npm run fuzz', () => {
  it('finds nothing in some cases of every input, the same ones every time', async () => {
    const { counts, findings } = await fuzz({ seed: 'tests', cases: 25, targets: TARGETS.inputs });
    expect(findings).toEqual([]);
    expect(counts).toEqual({
      http: 25,
      generator: 25,
      manifest: 25,
      checkpoint: 25,
      options: 25,
      archive: 25,
      image: 25,
    });
  });
});
