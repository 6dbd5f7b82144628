import { type Generator, openGenerator } from '../generator/generator.ts';
import { compileBinaries } from '../runtimes/disk.ts';
import { randomGeneratorFiles } from './random-generator.ts';

/** A generator of {@link randomGeneratorFiles}, ready to render. */
export async function openRandomGenerator(
  options?: Parameters<typeof randomGeneratorFiles>[0],
): Promise<Generator> {
  const files = await randomGeneratorFiles(options);
  return openGenerator({
    readFile: async (name) => files.get(name)!,
    loadBinaries: compileBinaries,
  });
}
