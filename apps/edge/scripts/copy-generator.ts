import { mkdir, writeFile } from 'node:fs/promises';
import { GENERATOR_MANIFEST, type GeneratorDescription } from '@killme/model';
import { openGenerator } from '../src/generator/generator.ts';
import { checkRenders } from '../src/generator/registry.ts';
import { compileBinaries, folderReader } from '../src/runtimes/disk.ts';

/**
 * Copies a generator that can render, and nothing else of its folder. What was checked is what is written,
 * whatever happens to the folder meanwhile.
 * @throws UserError in one line when it is damaged or cannot render.
 */
export async function copyGenerator(folder: string, target: string): Promise<GeneratorDescription> {
  const read = new Map<string, Uint8Array>();
  const readFile = folderReader(folder);
  const generator = await openGenerator({
    async readFile(name) {
      const bytes = await readFile(name);
      read.set(name, bytes);
      return bytes;
    },
    loadBinaries: compileBinaries,
  });
  await checkRenders(generator);
  const { manifest, hash } = generator;
  await mkdir(target, { recursive: true });
  for (const name of [GENERATOR_MANIFEST, ...manifest.shards.map(({ file }) => file)]) {
    await writeFile(`${target}/${name}`, read.get(name)!);
  }
  return { manifest, hash };
}
