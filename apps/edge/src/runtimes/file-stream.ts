/**
 * Files of a disk as streams, for answers: a piece is read when the client has taken the one before.
 *
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises';

/** Read at a time: what an answer holds in memory. */
const PIECE_BYTES = 2 ** 16;

/** A client that takes nothing for so long is disconnected, and its file closed. */
const IDLE_MS = 30_000;

/** A file that is open. */
export interface OpenFile {
  /** Changes with the file: where it lies, how large it is, when it was written. */
  version: string;
  /** @param onEnd is called once, when the file has been closed again. */
  stream(onEnd?: () => void): ReadableStream<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** @throws the error of the file system. */
export async function openFile(path: string | URL): Promise<OpenFile> {
  const handle = await open(path);
  try {
    const { ino, size, mtimeMs } = await handle.stat();
    return {
      version: `${ino} ${size} ${mtimeMs}`,
      stream: (onEnd = () => undefined) => streamOf(handle, onEnd),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function streamOf(handle: FileHandle, onEnd: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  let idle: ReturnType<typeof setTimeout> | undefined;
  let hasEnded = false;
  const end = async () => {
    if (hasEnded) return;
    hasEnded = true;
    clearTimeout(idle);
    await handle.close().finally(onEnd);
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        clearTimeout(idle);
        const { bytesRead, buffer } = await handle.read(new Uint8Array(PIECE_BYTES));
        if (bytesRead === 0) {
          await end();
          controller.close();
          return;
        }
        controller.enqueue(buffer.subarray(0, bytesRead));
        idle = setTimeout(() => {
          controller.error(new Error(`nothing was taken for ${IDLE_MS / 1000} s`));
          void end();
        }, IDLE_MS);
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
