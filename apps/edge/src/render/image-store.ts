/**
 * Where rendered pictures are kept, so that they are not rendered again. Each runtime gives the stores that
 * it has, the fastest first; none at all is right too. A store that fails costs a rendering, never an
 * answer.
 *
 * @module
 */

/** How an answer's header `Killme-Source` names where its picture comes from. */
export type Source = 'rendered' | 'gallery' | ImageStore['name'];

/** One place that keeps pictures for ever: an address never gets other bytes. */
export interface ImageStore {
  name: 'cache' | 'r2';
  /** @param address under the server's own host, which the Cache API recommends for its keys */
  find(address: URL): Promise<ReadableStream | undefined>;
  keep(address: URL, picture: KeptPicture): Promise<void>;
}

export interface KeptPicture {
  bytes: Uint8Array<ArrayBuffer>;
  contentType: string;
}

/** JoinedStore as one. */
export interface JoinedStore {
  find(
    address: URL,
    contentType: string,
  ): Promise<{ body: ReadableStream; source: Source } | undefined>;
  /** Returns at once; the work goes on behind the answer. */
  keep(address: URL, picture: KeptPicture): void;
}

/**
 * @param waitUntil keeps the runtime awake for work that no client waits for.
 */
export function joinStores(
  stores: readonly ImageStore[],
  waitUntil: (work: Promise<unknown>) => void,
): JoinedStore {
  const failing = new Set<string>();
  /** The outcome, or nothing when it fails; that is told once, until it works again. */
  const attempt = async <T>(what: string, doing: () => Promise<T>): Promise<T | undefined> => {
    try {
      const outcome = await doing();
      failing.delete(what);
      return outcome;
    } catch (error) {
      if (!failing.has(what)) console.warn(`${what}: ${error}`);
      failing.add(what);
      return undefined;
    }
  };
  const keepIn = async (
    some: readonly ImageStore[],
    address: URL,
    picture: KeptPicture | Promise<KeptPicture>,
  ) => {
    for (const store of some) {
      await attempt(`${store.name} cannot keep a picture`, async () =>
        store.keep(address, await picture),
      );
    }
  };
  return {
    async find(address, contentType) {
      for (const [i, store] of stores.entries()) {
        const { name } = store;
        const body = await attempt(`${name} cannot be read`, () => store.find(address));
        if (!body) continue;
        if (i === 0) return { body, source: name };
        // Next time it is found in a faster one.
        const [sent, kept] = body.tee();
        const picture = new Response(kept)
          .arrayBuffer()
          .then((read) => ({ bytes: new Uint8Array(read), contentType }));
        waitUntil(keepIn(stores.slice(0, i), address, picture));
        return { body: sent, source: name };
      }
      return undefined;
    },
    keep: (address, picture) => waitUntil(keepIn(stores, address, picture)),
  };
}
