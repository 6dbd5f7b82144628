/**
 * A walk as JSON: each picture with its place in latent space.
 *
 * @module
 */
import type { Picture } from '@killme/model';
import * as z from 'zod';
import { toBase64 } from './bytes.ts';
import type { Metadata } from './metadata.ts';
import { noPause, type Pause } from './pause.ts';
import { encodePng } from './png.ts';

/** One picture of a walk. */
export interface WalkStep {
  /** 0 at the first seed, 1 at the next, and so on. */
  position: number;
  /** Absent in a cross-fade: its pictures have no place in latent space. */
  latent?: Float32Array;
  picture: Picture;
}

/** Pictures of one size, at least one. */
export type Walk = readonly WalkStep[];

const metadataSchema = z.object({
  title: z.string().optional().meta({ description: 'the seeds of the walk' }),
  address: z.string().optional().meta({ description: 'the pinned address, without a host' }),
  generator: z.string().meta({ description: 'SHA-256, hex' }),
  licence: z.string().optional(),
  credit: z.string().optional(),
});

export const walkSchema = z
  .object({
    metadata: metadataSchema.optional().meta({ description: 'absent when metadata=none' }),
    width: z.number().int(),
    height: z.number().int(),
    frames: z.array(
      z.object({
        position: z.number().meta({ description: '0 at the first seed, 1 at the next, and so on' }),
        latent: z.array(z.number()).optional().meta({ description: 'absent when space=pixel' }),
        image: z.string().meta({ description: 'a PNG as data URL' }),
      }),
    ),
  })
  .meta({ id: 'Walk' });

/** What `/morph?format=json` answers. */
type WalkJson = z.infer<typeof walkSchema>;

/** @returns JSON of {@link walkSchema}, as UTF-8. */
export async function encodeWalk(
  walk: Walk,
  { pause = noPause, metadata }: { pause?: Pause; metadata?: Metadata | undefined } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = walk[0]!.picture;
  const frames: WalkJson['frames'] = [];
  for (const { position, latent, picture } of walk) {
    frames.push({
      position,
      ...(latent ? { latent: [...latent] } : {}),
      image: `data:image/png;base64,${toBase64(await encodePng(picture, { pause }))}`,
    });
    await pause();
  }
  const json: WalkJson = { ...(metadata ? { metadata } : {}), width, height, frames };
  return new TextEncoder().encode(`${JSON.stringify(json)}\n`);
}
