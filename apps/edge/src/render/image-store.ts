/**
 * Stores of rendered pictures. Each runtime gives those that it has, the fastest first, or none. A
 * store that fails costs a rendering, never an answer.
 *
 * @module
 */

/** How an answer's header `Killme-Source` names where its picture comes from. */
export type Source = 'rendered' | 'gallery' | ImageStore['name'];

/** One place that keeps pictures for ever: an address never gets other bytes. */
export interface ImageStore {
  name: 'memory' | 'disk' | 'cache' | 'r2';
  /** @param key `<hash of the generator>/<route>/<tag>.<format>`, whatever the server is called */
  find(key: string): Promise<ReadableStream | Uint8Array<ArrayBuffer> | undefined>;
  keep(key: string, picture: KeptPicture): Promise<void>;
}

export interface KeptPicture {
  bytes: Uint8Array<ArrayBuffer>;
  contentType: string;
}

/** Several stores as one. */
export interface JoinedStore {
  find(
    key: string,
    contentType: string,
  ): Promise<{ body: ReadableStream | Uint8Array<ArrayBuffer>; source: Source } | undefined>;
  /** Returns at once; the work goes on behind the answer. */
  keep(key: string, picture: KeptPicture): void;
}

/**
 * @param waitUntil keeps the runtime awake for work that no client waits for.
 */
export function joinStores(
  stores: readonly ImageStore[],
  waitUntil: (work: Promise<unknown>) => void,
): JoinedStore {
  const failing = new Set<string>();
  /** The outcome, or nothing when it fails; the first failure of a row is logged. */
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
    key: string,
    picture: KeptPicture | Promise<KeptPicture>,
  ) => {
    for (const store of some) {
      await attempt(`${store.name} cannot keep a picture`, async () =>
        store.keep(key, await picture),
      );
    }
  };
  return {
    async find(key, contentType) {
      for (const [i, store] of stores.entries()) {
        const { name } = store;
        const body = await attempt(`${name} cannot be read`, () => store.find(key));
        if (!body) continue;
        if (i === 0) return { body, source: name };
        // Next time it is found in a faster one.
        const [sent, kept] = body instanceof ReadableStream ? body.tee() : [body, body];
        const picture = new Response(kept)
          .arrayBuffer()
          .then((read) => ({ bytes: new Uint8Array(read), contentType }));
        waitUntil(keepIn(stores.slice(0, i), key, picture));
        return { body: sent, source: name };
      }
      return undefined;
    },
    keep: (key, picture) => waitUntil(keepIn(stores, key, picture)),
  };
}
