/**
 * The generators of a server by name: `model=` of a query chooses one. Each is read when it is first
 * needed, and none for its name alone.
 *
 * @module
 */
import { type GeneratorDescription, seedToLatent, UserError } from '@killme/model';
import { shorten } from '../http/problem.ts';
import { badParameters } from '../http/query.ts';
import { once } from '../once.ts';
import type { Gallery } from './gallery.ts';
import type { AnyGenerator } from './generator.ts';

/** The asset that lists the names of generators, as scripts/assemble.ts writes it: a JSON array. */
export const GENERATOR_LIST = 'generators.json';

/** Where one generator comes from. Optional members are what not every runtime has. */
export interface GeneratorSource {
  name: string;
  /** Called at the first request that must be rendered, and again only after it failed. */
  load: () => Promise<AnyGenerator>;
  /** Describes the generator without loading it; that of the loaded one is used when omitted. */
  describe?: (() => Promise<GeneratorDescription>) | undefined;
  /** Opens a file of the generator by name, to be sent; clients can render with it then. */
  openFile?: ((name: string) => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>) | undefined;
  /** Opens the gallery of the generator; `/img` answers from it if there is one. */
  openGallery?: ((generator: GeneratorDescription) => Promise<Gallery | undefined>) | undefined;
}

/** A generator as the routes use it: what was read once is not read again. */
export interface Model {
  name: string;
  load: () => Promise<AnyGenerator>;
  describe: () => Promise<GeneratorDescription>;
  loadGallery: () => Promise<Gallery | undefined>;
  openFile: GeneratorSource['openFile'];
}

export interface Models {
  /** Their names, that of the first first. */
  names(): Promise<string[]>;
  /**
   * @param name as a query has it; the first one is found when it is omitted.
   * @throws ProblemError 400 with the names that there are.
   */
  find(name: string | undefined): Promise<Model>;
}

/** @param list the generators that there are, at least one; called once, and again after it failed. */
export function createModels(list: () => Promise<readonly GeneratorSource[]>): Models {
  const models = once(async () => sayWhich(await list()).map(toModel));
  return {
    names: async () => (await models()).map(({ name }) => name),
    async find(name) {
      const all = await models();
      const found = name === undefined ? all[0] : all.find((model) => model.name === name);
      if (found) return found;
      const allowed = `one of: ${all.map((model) => model.name).join(', ')}`;
      throw badParameters([{ parameter: 'model', allowed, received: shorten(name ?? '') }]);
    },
  };
}

/** Where there are several, a mistake says which of them it is about. */
export function sayWhich(sources: readonly GeneratorSource[]): readonly GeneratorSource[] {
  return sources.map(({ load, describe, ...source }) => {
    const say = <T>(work: Promise<T>) => saying(source.name, sources.length, work);
    return {
      ...source,
      load: () => say(load()),
      describe: describe && (() => say(describe())),
    };
  });
}

/**
 * Renders one picture: what a file says may be right, and its layers still not fit, or be too large.
 * @throws UserError saying why the generator cannot render.
 */
export async function checkRenders({ render, latentSpace }: AnyGenerator): Promise<void> {
  try {
    await render(seedToLatent('check', latentSpace));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`the generator cannot render a picture: ${reason}`);
  }
}

/** @throws what `work` on one of `count` generators throws; where there are several a UserError begins with the name. */
export async function saying<T>(name: string, count: number, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (count === 1 || !(error instanceof UserError)) throw error;
    throw new UserError(`${name}: ${error.message}`, `${name}: ${error.publicMessage}`);
  }
}

function toModel({ name, openFile, openGallery, ...source }: GeneratorSource): Model {
  const load = once(source.load);
  const describe = once(source.describe ?? load);
  const loadGallery = once(async () => openGallery?.(await describe()));
  return { name, load, describe, loadGallery, openFile };
}
