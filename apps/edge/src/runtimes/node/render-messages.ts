/**
 * What a server's process and its rendering thread say to each other.
 *
 * @module
 */
import type { GeneratorDescription } from '@killme/model';
import type { NamedFolder } from '../named-folder.ts';

/** What a rendering thread is started with. */
export interface RenderThreadData {
  generators: readonly NamedFolder[];
  /** Of generators that other threads of the server have loaded, in their order: no other will do. */
  hashes?: readonly string[] | undefined;
  /** One 32-bit integer: the pictures that were rendered, by this thread and those before it. */
  rendered: SharedArrayBuffer;
}

/** A generator that the thread has loaded. */
export interface LoadedGenerator extends GeneratorDescription {
  name: string;
  renderMs: number;
}

/** From the process: render this path, or give up what has this number. */
export type RenderRequest = { id: number; path: string } | { abandon: number };

/** The problem that the app in the thread answers with. */
export interface RenderProblem {
  id: number;
  status: number;
  detail: string;
  retryAfter: string | undefined;
}

/** What becomes of a request. */
export type RenderAnswer =
  | { id: number; bytes: Uint8Array<ArrayBuffer> }
  | { id: number; abandoned: true }
  | RenderProblem;

/** The first thing that the thread says: whether it can render, and otherwise why, in one line. */
export type RenderStart = { ready: readonly LoadedGenerator[] } | { refusal: string };
