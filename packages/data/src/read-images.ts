import { availableParallelism } from 'node:os';
import { explainFileError } from '@killme/command-line';
import { decodeImage } from './images/decode-image.ts';
import { endIdleDecoders } from './images/decode-process.ts';
import { type DecodeOptions, ImageFault, type ImageHeader } from './images/image.ts';
import { compareBytes, type LaidOutImage, type Layout } from './sources/layout.ts';
import type { Source } from './sources/source.ts';

/** One frame of one file. */
export interface ReadImage {
  /** The path in its source; with `#2` and so on behind it for later frames of an animation. */
  file: string;
  class: string;
  header: ImageHeader;
  /** `[size, size, 3]`, RGB, 0 … 255. */
  pixels: Uint8Array;
}

export interface OmittedFile {
  file: string;
  reason: string;
}

/**
 * Decodes all images of a layout, a few at a time; their order does not depend on which is faster.
 * @returns the images, and the files that are none, each in the order of their names.
 */
export async function readImages(
  source: Source,
  layout: Layout,
  options: DecodeOptions,
): Promise<{ images: ReadImage[]; bad: OmittedFile[] }> {
  const byPath = new Map(layout.images.map((image) => [image.path, image]));
  const framesOf = new Map<string, ReadImage[]>();
  const bad: OmittedFile[] = [];
  const queue = source.read([...byPath.keys()])[Symbol.asyncIterator]();

  async function worker(): Promise<void> {
    for (let next = await queue.next(); !next.done; next = await queue.next()) {
      const { path, bytes } = next.value;
      const image = byPath.get(path)!;
      try {
        framesOf.set(path, await readFrames(image, await bytes(), options));
      } catch (error) {
        const reason = imageFaultOf(error);
        if (reason === undefined) {
          await queue.return?.();
          throw error;
        }
        bad.push({ file: image.file, reason });
      }
    }
  }
  // Every worker is awaited even if one fails, so that none reads on from a source that was closed.
  const workers = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  endIdleDecoders();
  for (const result of workers) if (result.status === 'rejected') throw result.reason;

  return {
    images: layout.images.flatMap(({ path }) => framesOf.get(path) ?? []),
    bad: bad.sort((a, b) => compareBytes(a.file, b.file)),
  };
}

async function readFrames(
  { file, class: className }: LaidOutImage,
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<ReadImage[]> {
  const { header, frames } = await decodeImage(bytes, options);
  return frames.map((pixels, i) => ({
    file: i === 0 ? file : `${file}#${i + 1}`,
    class: className,
    header,
    pixels,
  }));
}

/** What is wrong with one image; nothing when the fault lies elsewhere, as in a damaged archive. */
function imageFaultOf(error: unknown): string | undefined {
  if (error instanceof ImageFault) return error.message;
  const explained = explainFileError(error, 'it', 'read');
  return explained !== error && explained instanceof Error ? explained.message : undefined;
}
