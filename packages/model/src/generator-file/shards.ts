/** A Workers static asset may have 25 MiB. */
const SHARD_BYTES = 20 * 1024 * 1024;

/** Puts bytes end to end and cuts them into shards of 20 MiB; the last one is what is left. */
export function cutShards(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer>[] {
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const shards: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 0; start < total; start += SHARD_BYTES) {
    shards.push(new Uint8Array(Math.min(SHARD_BYTES, total - start)));
  }
  let offset = 0;
  for (const chunk of chunks) {
    for (let read = 0; read < chunk.length; ) {
      const at = offset % SHARD_BYTES;
      const part = chunk.subarray(read, read + SHARD_BYTES - at);
      shards[Math.floor(offset / SHARD_BYTES)]!.set(part, at);
      read += part.length;
      offset += part.length;
    }
  }
  return shards;
}
