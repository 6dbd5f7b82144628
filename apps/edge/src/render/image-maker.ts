/**
 * The end of the pipeline, what keeps a processor busy: schedule → render → encode.
 *
 * @module
 */
import type { Picture } from '@killme/model';
import type { Model } from '../generator/registry.ts';
import type { Metadata } from '../images/metadata.ts';
import type { Pause } from '../images/pause.ts';
import type { EncodeWebp } from '../images/webp.ts';
import { estimateCostMs } from './cost.ts';
import { encode } from './encode.ts';
import type { PicturePlan } from './plan.ts';
import { readGalleryPicture, renderPictures } from './render.ts';
import type { RenderElsewhere } from './render-elsewhere.ts';
import { createScheduler } from './scheduler.ts';
import type { Wanted } from './single-flight.ts';
import type { Size } from './size.ts';

/** A file to be made. */
export interface PlannedImage {
  plan: PicturePlan;
  /** What the file says of where it is from. */
  metadata: Metadata | undefined;
  model: Model;
  /** Another thread makes the same plan of it. */
  request: Request;
}

/** Makes the files of answers. */
export interface ImageMaker {
  /**
   * Renders and encodes, in turns with everything else.
   * @throws ProblemError 503 when too much is pending; AbortError when nobody wants it any more.
   */
  make(image: PlannedImage, wanted: Wanted): Promise<Uint8Array<ArrayBuffer>>;
  /** Pictures that this isolate has rendered since it started, and those that are pending. */
  progress(): { rendered: number; pending: number };
}

export interface ImageMakerOptions {
  encodeWebp: EncodeWebp;
  /** Keeps the runtime awake for work that no client waits for. */
  waitUntil: (work: Promise<unknown>) => void;
  /** This thread renders when it is omitted. */
  renderElsewhere?: RenderElsewhere | undefined;
  /** Called after each picture that this thread has rendered. */
  onRendered?: (() => void) | undefined;
  /** Lets the runtime see what has come in, between two turns; see scheduler.ts. */
  seeInput?: (() => Promise<void>) | undefined;
}

export function createImageMaker({
  encodeWebp,
  waitUntil,
  renderElsewhere,
  onRendered,
  seeInput,
}: ImageMakerOptions): ImageMaker {
  const scheduler = createScheduler(seeInput);
  let rendered = 0;

  function count(): void {
    rendered++;
    onRendered?.();
  }

  return {
    progress: () => ({
      rendered: renderElsewhere?.rendered() ?? rendered,
      pending: scheduler.pending(),
    }),
    async make({ plan, metadata, model, request }, wanted) {
      const { pictures, rendering, get } = await prepare(plan.pictures, model, count);
      const task = { pictures, costMs: estimateCostMs(plan, rendering), wanted };
      if (renderElsewhere) {
        return scheduler.accept(task, () => renderElsewhere.render(pathOf(request), wanted));
      }
      const work = scheduler.run(task, async (pause) =>
        encode(plan.output, await get(pause), { pause, encodeWebp, metadata }),
      );
      // workerd drops a request whose client has disconnected, in the middle of what it does and
      // without its `finally`. This holds it until it has given its turn away.
      waitUntil(work.catch(() => undefined));
      return work;
    },
  };
}

/** Pictures that only have to be rendered, or read from the gallery. */
interface Prepared {
  /** How many they are. */
  pictures: number;
  /** Estimated milliseconds of each, and its size then. */
  rendering: { renderMs: number; own: Size };
  get: (pause: Pause) => Promise<Picture[]>;
}

/** Loads the weights where they are needed: nobody else has to wait for that. */
async function prepare(
  pictures: PicturePlan['pictures'],
  model: Model,
  onRendered: () => void,
): Promise<Prepared> {
  if (pictures.from === 'gallery') {
    const rendering = { renderMs: 0, own: pictures.gallery.image };
    return { pictures: 1, rendering, get: async () => [await readGalleryPicture(pictures)] };
  }
  const { render, renderMs, manifest } = await model.load();
  return {
    pictures: pictures.sizes.length,
    rendering: { renderMs, own: manifest.image },
    get: (pause) => renderPictures(pictures, { render, pause, onRendered }),
  };
}

/** The path of a request, with its query. */
function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}
