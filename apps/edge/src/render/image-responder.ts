/**
 * How a request for pictures is answered: plan → 304 → store → quota → single-flight → schedule →
 * render → encode. A route (routes/) validates the request and plans the answer; image-maker.ts has
 * the last three.
 *
 * @module
 */
import type { Model, Models } from '../generator/registry.ts';
import { AN_HOUR, FOR_EVER, unchanged } from '../http/etag.ts';
import { checkQuota, type WithinQuota } from '../http/quota.ts';
import { describeFile, findInGallery, keyOf, metadataOf, send, tagOf, unmade } from './answer.ts';
import { CONTENT_TYPES } from './encode.ts';
import {
  createImageMaker,
  type ImageMaker,
  type ImageMakerOptions,
  type PlannedImage,
} from './image-maker.ts';
import { type ImageStore, joinStores } from './image-store.ts';
import type { PicturePlan, PlannedFor } from './plan.ts';
import { singleFlight } from './single-flight.ts';

/** A request, and the generator that its path names. */
export interface Asked {
  request: Request;
  /** Of a pinned address, see pin.ts. */
  pin: string | undefined;
}

/** Answers requests for pictures. */
export interface ImageResponder extends Pick<ImageMaker, 'progress'> {
  /**
   * @param parameters of the request, valid
   * @param plan makes of them, and of the generator that they name, what the answer is.
   * @throws ProblemError 400 from `plan`; 404 for another generator's pin; 429 beyond the quota; 503
   *   when too much is pending.
   */
  respond<Parameters extends { model?: string | undefined }>(
    asked: Asked,
    parameters: Parameters,
    plan: (parameters: Parameters, generator: PlannedFor) => PicturePlan,
  ): Promise<Response>;
}

export interface ImageResponderOptions extends ImageMakerOptions {
  models: Models;
  /** Says whether a request to render is within the quota of its sender. */
  withinQuota: WithinQuota;
  stores: readonly ImageStore[];
  /** Says whether no generator is ever replaced: then every address is kept as pinned ones are. */
  isImmutable: () => Promise<boolean>;
}

export function createImageResponder({
  models,
  withinQuota,
  stores,
  isImmutable,
  ...making
}: ImageResponderOptions): ImageResponder {
  const store = joinStores(stores, making.waitUntil);
  const onceAtATime = singleFlight<Uint8Array<ArrayBuffer>>();
  const { make, progress } = createImageMaker(making);

  /** Makes it once for all who ask for it at the same time, and keeps it. */
  const makeOnce = (key: string, image: PlannedImage) =>
    onceAtATime({
      key,
      signal: image.request.signal,
      async begin(wanted) {
        const bytes = await make(image, wanted);
        store.keep(key, { bytes, contentType: CONTENT_TYPES[image.plan.output.format] });
        return bytes;
      },
    });

  return {
    progress,
    async respond({ request, pin }, parameters, planAnswer) {
      const model = await models.find({ model: parameters.model, pin });
      const generator = await describe(model);
      const plan = planAnswer(parameters, generator);
      const tag = await tagOf(plan, generator);
      const cacheControl = pin !== undefined || (await isImmutable()) ? FOR_EVER : AN_HOUR;
      const headers = new Headers({ ETag: tag, 'Cache-Control': cacheControl });
      const same = unchanged(request, headers);
      if (same) return same;
      describeFile(headers, plan, generator.manifest);
      const key = keyOf(plan, generator, tag);
      const found =
        (await findInGallery(plan)) ?? (await store.find(key, CONTENT_TYPES[plan.output.format]));
      if (found) return send(request, headers, found);
      if (request.method === 'HEAD') return send(request, headers, unmade(plan));
      await checkQuota(request, withinQuota);
      const metadata = metadataOf(plan, generator);
      const body = await makeOnce(key, { plan, metadata, model, request });
      return send(request, headers, { ...unmade(plan), body });
    },
  };
}

/** Everything that is known of a generator without its weights. */
async function describe(model: Model): Promise<PlannedFor> {
  const [description, gallery] = await Promise.all([model.describe(), model.loadGallery()]);
  return { ...description, gallery };
}
