/**
 * What the processes of a server say to the one that started them.
 *
 * @module
 */
import { z } from 'zod';

/** What a process serves, and how. */
export const processOptions = z.object({
  generators: z.array(
    z.object({
      name: z.string(),
      folder: z.string(),
      kept: z.boolean().optional(),
      gallery: z.string().optional(),
    }),
  ),
  immutable: z.boolean(),
  host: z.string(),
  port: z.number(),
  /** The folder of the store on disk; none when omitted. */
  cache: z.string().optional(),
  accessLog: z.boolean(),
  metrics: z.boolean(),
  /** Of the generators that processes before it have loaded. */
  hashes: z.array(z.string()).optional(),
});

export type ProcessOptions = z.infer<typeof processOptions>;

/** From a process. */
export const processMessage = z.discriminatedUnion('type', [
  /** It listens. */
  z.object({
    type: z.literal('ready'),
    port: z.number(),
    /** Of its generators. */
    hashes: z.array(z.string()),
  }),
  /** It cannot, and ends. */
  z.object({ type: z.literal('refusal'), message: z.string() }),
  /** It has written so much to the store on disk. */
  z.object({ type: z.literal('kept'), bytes: z.number() }),
]);

export type ProcessMessage = z.infer<typeof processMessage>;

/** To a process: answer what has begun, then end. */
export const STOP = { type: 'stop' } as const;
