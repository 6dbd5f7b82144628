/**
 * The generators that are measured.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { UserError } from '@killme/model';
import { SHIPPED_GENERATORS } from '../src/named-folder.ts';
import { randomGeneratorFiles } from '../src/testing/index.ts';

export const BENCH_PRESETS = ['article', 'lite'] as const;
export type BenchPreset = (typeof BENCH_PRESETS)[number];

/**
 * The presets that `--preset` means; all when it is left out.
 * @throws UserError naming those that there are.
 */
export function choosePresets(named: string | undefined): readonly BenchPreset[] {
  if (named === undefined) return BENCH_PRESETS;
  const found = BENCH_PRESETS.find((preset) => preset === named);
  if (!found) throw new UserError(`--preset must be ${BENCH_PRESETS.join(' or ')}, not ${named}`);
  return [found];
}

/**
 * Runs `work` with a generator folder of the preset: `lite` is the shipped one, `article` has the
 * article's layers with random int8 weights, in a temporary folder.
 */
export async function withGenerator<T>(
  preset: BenchPreset,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  if (preset === 'lite') return work(SHIPPED_GENERATORS[0]!.folder);
  const folder = await mkdtemp(`${tmpdir()}/killme-bench-`);
  try {
    for (const [name, bytes] of await randomGeneratorFiles({ width: 1, imageSize: 128 })) {
      await writeFile(`${folder}/${name}`, bytes);
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
