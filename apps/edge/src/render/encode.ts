import type { Picture } from '@killme/model';
import { encodeApng } from '../images/apng.ts';
import { encodeGif } from '../images/gif.ts';
import { type Metadata, xmpPacket } from '../images/metadata.ts';
import type { Pause } from '../images/pause.ts';
import { encodePng } from '../images/png.ts';
import { encodeWalk } from '../images/walk.ts';
import type { EncodeWebp } from '../images/webp.ts';
import { withXmp } from '../images/webp-file.ts';
import type { Output } from './plan.ts';

/** The content type of each format. */
export const CONTENT_TYPES = {
  png: 'image/png',
  webp: 'image/webp',
  apng: 'image/apng',
  gif: 'image/gif',
  json: 'application/json',
} as const satisfies Record<Output['format'], string>;

/** Composes the rendered pictures of an answer, and makes its file. */
export async function encode(
  output: Output,
  pictures: readonly Picture[],
  {
    pause,
    encodeWebp,
    metadata,
  }: { pause: Pause; encodeWebp: EncodeWebp; metadata: Metadata | undefined },
): Promise<Uint8Array<ArrayBuffer>> {
  switch (output.format) {
    case 'png':
      return encodePng(await output.compose(pictures, pause), { pause, metadata });
    case 'webp': {
      const picture = await output.compose(pictures, pause);
      const file = await encodeWebp(picture);
      const { width, height } = picture;
      return metadata ? withXmp(file, { width, height, xmp: xmpPacket(metadata) }) : file;
    }
    case 'apng':
      return encodeApng(await output.compose(pictures, pause), { pause, metadata });
    case 'gif':
      return encodeGif(await output.compose(pictures, pause), { pause, metadata });
    case 'json':
      return encodeWalk(await output.compose(pictures, pause), { pause, metadata });
  }
}
