import type { Wanted } from './single-flight.ts';

/**
 * Another thread, which has the same app: pictures are rendered, resampled and encoded there, and this
 * thread only answers.
 */
export interface RenderElsewhere {
  /**
   * @param path of a request that is valid, with its query
   * @throws ProblemError where the app there answers with a problem; AbortError when nobody wants it
   * any more.
   */
  render(path: string, wanted: Wanted): Promise<Uint8Array<ArrayBuffer>>;
  /** Pictures that were rendered there. */
  rendered(): number;
}
