/**
 * Calls `load` once, however many ask at the same time; a failure rejects all who wait and
 * then forgotten, so that the next one tries again.
 */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
