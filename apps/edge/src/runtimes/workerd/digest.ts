/** At a time; each read takes some ten microseconds. */
const PIECE_BYTES = 2 ** 18;

/**
 * Hands the bytes of a body to `take`, piece by piece, through one buffer that is used again and
 * again: garbage would count as memory until it is collected.
 * @returns sha256 of all of them, made as they pass; of the runtimes only workerd has that in its
 *   Web Crypto (https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#constructors).
 */
export async function digestStream(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (piece: Uint8Array) => void,
): Promise<ArrayBuffer> {
  const hash = new crypto.DigestStream('SHA-256');
  const writer = hash.getWriter();
  const reader = body.getReader({ mode: 'byob' });
  let buffer = new ArrayBuffer(PIECE_BYTES);
  for (;;) {
    const { done, value: piece } = await reader.read(new Uint8Array(buffer));
    if (done || !piece) break;
    take(piece);
    await writer.write(piece);
    buffer = piece.buffer;
  }
  await writer.close();
  return hash.digest;
}
