/**
 * The generators of a server by name: `model=` of a query chooses one. Each is read when it is first
 * needed, and none for its name alone.
 *
 * @module
 */
import { type GeneratorDescription, seedToLatent, UserError } from '@killme/model';
import { badParameters, ProblemError, shorten } from '../http/problem.ts';
import { once } from '../once.ts';
import type { Gallery } from './gallery.ts';
import type { AnyGenerator } from './generator.ts';
import { findPinned, pinOf } from './pin.ts';

/** Where one generator comes from. Optional members are what not every runtime has. */
export interface GeneratorSource {
  name: string;
  /** An earlier generator, kept for its pinned addresses: no `model=` names it. */
  kept?: boolean | undefined;
  /** Called at the first request that must be rendered, and again only after it failed. */
  load: () => Promise<AnyGenerator>;
  /** Describes the generator without loading it; that of the loaded one is used when omitted. */
  describe?: (() => Promise<GeneratorDescription>) | undefined;
  /** Opens a file of the generator by name, to be sent; clients can render with it then. */
  openFile?:
    | ((name: string, client: AbortSignal) => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>)
    | undefined;
  /** Opens the gallery of the generator; `/img` answers from it if there is one. */
  openGallery?: ((generator: GeneratorDescription) => Promise<Gallery | undefined>) | undefined;
}

/** A generator as the routes use it: what was read once is not read again. */
export interface Model {
  name: string;
  kept: boolean;
  load: () => Promise<AnyGenerator>;
  describe: () => Promise<GeneratorDescription>;
  loadGallery: () => Promise<Gallery | undefined>;
  openFile: GeneratorSource['openFile'];
}

/** How a request names a generator. */
export interface Naming {
  /** `model=` of the query. */
  model?: string | undefined;
  /** Of a pinned address. */
  pin?: string | undefined;
}

/** Where the pictures of a generator are for ever. */
export interface PinnedModel {
  /** They are under `/v/<pin>/`. */
  pin: string;
  /** sha256 of the generator, hex. */
  hash: string;
  /** Its name in `model=`; none when it is kept for its pinned addresses only. */
  model?: string;
}

export interface Models {
  /** The names that `model=` takes, that of the first first. */
  names(): Promise<string[]>;
  /** All generators, kept ones last. */
  pinned(): Promise<PinnedModel[]>;
  /**
   * The first one is found when none is named.
   * @throws ProblemError 400 for a wrong name, a wrong pin or both at once; 404 for the pin of another
   *   generator.
   */
  find(naming: Naming): Promise<Model>;
  /**
   * Finds what pictures of a gallery are of, the largest gallery where a generator has several.
   * @param hash the 16 digits of a generator's hash that are in their addresses, see galleryFile
   * @throws ProblemError 404 when there is none.
   */
  findGallery(hash: string): Promise<{ generator: GeneratorDescription; gallery: Gallery }>;
}

/** @param list the generators that there are, at least one; called once, and again after it failed. */
export function createModels(list: () => Promise<readonly GeneratorSource[]>): Models {
  const models = once(async () => sayWhich(await list()).map(toModel));
  const named = async () => (await models()).filter(({ kept }) => !kept);
  return {
    names: async () => (await named()).map(({ name }) => name),
    async pinned() {
      const all = await Promise.all((await models()).map(identify));
      const first = all.filter(({ kept }) => !kept);
      return [...first, ...all.filter(({ kept }) => kept)].map((each) => ({
        pin: pinOf(each),
        hash: each.hash,
        ...(each.kept ? {} : { model: each.name }),
      }));
    },
    async find({ model: name, pin }) {
      if (pin !== undefined) {
        if (name === undefined) return findByPin(pin, await models());
        const allowed = 'omitted where the path names the generator by its hash';
        throw badParameters([{ parameter: 'model', allowed, received: shorten(name) }]);
      }
      const all = await named();
      const found = name === undefined ? all[0] : all.find((model) => model.name === name);
      if (found) return found;
      const allowed = `one of: ${all.map((model) => model.name).join(', ')}`;
      throw badParameters([{ parameter: 'model', allowed, received: shorten(name ?? '') }]);
    },
    async findGallery(hash) {
      const outcomes = await Promise.allSettled((await models()).map(openGalleryOf));
      const found = outcomes
        .flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []))
        .filter(({ generator }) => pinOf({ ...generator, gallery: undefined }) === hash)
        .sort((a, b) => b.gallery.pictures - a.gallery.pictures);
      if (found[0]) return found[0];
      const failed = outcomes.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      throw new ProblemError(404, `This server has no gallery at /g/${shorten(hash)}.`);
    },
  };
}

async function openGalleryOf({ describe, loadGallery }: Model) {
  const [generator, gallery] = await Promise.all([describe(), loadGallery()]);
  return gallery && { generator, gallery };
}

/** What a pin has to know of a generator; its weights are not loaded for it. */
async function identify(model: Model) {
  const [{ hash }, gallery] = await Promise.all([model.describe(), model.loadGallery()]);
  return { ...model, hash, gallery };
}

async function findByPin(pin: string, models: readonly Model[]): Promise<Model> {
  const outcomes = await Promise.allSettled(models.map(identify));
  const sound = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  try {
    const { gallery, ...found } = findPinned(pin, sound);
    return { ...found, loadGallery: async () => gallery };
  } catch (error) {
    // The one that is asked for may be the one that cannot be read.
    const failed = outcomes.find((one) => one.status === 'rejected');
    throw failed ? failed.reason : error;
  }
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

function toModel({ name, kept = false, openFile, openGallery, ...source }: GeneratorSource): Model {
  const load = once(source.load);
  const describe = once(source.describe ?? load);
  const loadGallery = once(async () => openGallery?.(await describe()));
  return { name, kept, load, describe, loadGallery, openFile };
}
