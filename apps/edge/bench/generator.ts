/**
 * The generators that are measured: the shipped ones, of which each preset has one.
 *
 * @module
 */
import { UserError } from '@killme/model';
import { SHIPPED_GENERATORS } from '../src/runtimes/named-folder.ts';

export const BENCH_PRESETS = ['article', 'lite'] as const;
export type BenchPreset = (typeof BENCH_PRESETS)[number];

/**
 * The presets that `--preset` means; all when it is omitted.
 * @param also what else it may be
 * @throws UserError naming those that there are.
 */
export function choosePresets<Also extends string = never>(
  named: string | undefined,
  ...also: readonly Also[]
): readonly (BenchPreset | Also)[] {
  const all = [...BENCH_PRESETS, ...also];
  if (named === undefined) return all;
  const found = all.find((preset) => preset === named);
  if (!found) throw new UserError(`--preset must be ${all.join(' or ')}, not ${named}`);
  return [found];
}

/** The folder of the shipped generator of a preset. */
export const folderOf = (preset: BenchPreset): string =>
  SHIPPED_GENERATORS.find(({ name }) => name === preset)!.folder;
