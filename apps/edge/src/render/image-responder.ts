/**
 * How a request for pictures is answered: plan → 304 → store → quota → single-flight → schedule →
 * render → encode. A route (routes/) validates the request and plans the answer.
 *
 * @module
 */
import type { GeneratorManifest, Picture } from '@killme/model';
import { pinnedAddress, pinOf } from '../generator/pin.ts';
import type { Model, Models } from '../generator/registry.ts';
import { canonicalQuery } from '../http/canonical-query.ts';
import { attachment } from '../http/content-disposition.ts';
import { AN_HOUR, entityTag, FOR_EVER, unchanged } from '../http/etag.ts';
import { licenceUrl } from '../http/licence.ts';
import { checkQuota, type WithinQuota } from '../http/quota.ts';
import type { Metadata } from '../images/metadata.ts';
import type { Pause } from '../images/pause.ts';
import type { EncodeWebp } from '../images/webp.ts';
import { estimateCostMs } from './cost.ts';
import { CONTENT_TYPES, encode } from './encode.ts';
import { type ImageStore, joinStores, type Source } from './image-store.ts';
import type { PicturePlan, PlannedFor } from './plan.ts';
import { readGalleryPicture, renderPictures } from './render.ts';
import type { RenderElsewhere } from './render-elsewhere.ts';
import { createScheduler } from './scheduler.ts';
import { singleFlight, type Wanted } from './single-flight.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A request, and the generator that its path names. */
export interface Asked {
  request: Request;
  /** Of a pinned address, see pin.ts. */
  pin: string | undefined;
}

/** Answers requests for pictures. */
export interface ImageResponder {
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
  /** Pictures that this isolate has rendered since it started, and those that are pending. */
  progress(): { rendered: number; pending: number };
}

export interface ImageResponderOptions {
  models: Models;
  encodeWebp: EncodeWebp;
  /** Says whether a request to render is within the quota of its sender. */
  withinQuota: WithinQuota;
  stores: readonly ImageStore[];
  /** Says whether no generator is ever replaced: then every address is kept as pinned ones are. */
  isImmutable: () => Promise<boolean>;
  /** Keeps the runtime awake for work that no client waits for. */
  waitUntil: (work: Promise<unknown>) => void;
  /** This thread renders when it is omitted. */
  renderElsewhere?: RenderElsewhere | undefined;
  /** Called after each picture that this thread has rendered. */
  onRendered?: (() => void) | undefined;
  /** Lets the runtime see what has come in, between two turns; see scheduler.ts. */
  seeInput?: (() => Promise<void>) | undefined;
}

export function createImageResponder({
  models,
  encodeWebp,
  withinQuota,
  stores,
  isImmutable,
  waitUntil,
  renderElsewhere,
  onRendered,
  seeInput,
}: ImageResponderOptions): ImageResponder {
  const store = joinStores(stores, waitUntil);
  const scheduler = createScheduler(seeInput);
  const onceAtATime = singleFlight<Bytes>();
  let rendered = 0;

  /** Loads the weights where they are needed: nobody else has to wait for that. */
  async function prepare(pictures: PicturePlan['pictures'], model: Model): Promise<Prepared> {
    if (pictures.from === 'gallery') {
      return { count: 1, renderMs: 0, get: async () => [await readGalleryPicture(pictures)] };
    }
    const { render, renderMs } = await model.load();
    const count = () => {
      rendered++;
      onRendered?.();
    };
    const get = (pause: Pause) => renderPictures(pictures, { render, pause, onRendered: count });
    return { count: pictures.sizes.length, renderMs, get };
  }

  /** Renders and encodes, in turns with everything else. */
  async function make({ plan, metadata, model, wanted, request }: Wish): Promise<Bytes> {
    const { count, renderMs, get } = await prepare(plan.pictures, model);
    const task = { pictures: count, costMs: estimateCostMs(plan, renderMs), wanted };
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
  }

  return {
    progress: () => ({
      rendered: renderElsewhere?.rendered() ?? rendered,
      pending: scheduler.pending(),
    }),
    async respond({ request, pin }, parameters, planAnswer) {
      const model = await models.find({ model: parameters.model, pin });
      const generator = await describe(model);
      const plan = planAnswer(parameters, generator);
      const tag = await tagOf(plan, generator);
      const cacheControl = pin !== undefined || (await isImmutable()) ? FOR_EVER : AN_HOUR;
      const headers = new Headers({ ETag: tag, 'Cache-Control': cacheControl });
      const same = unchanged(request, headers);
      if (same) return same;
      const send = sender(request, fileHeaders(headers, plan, generator.manifest));
      const contentType = CONTENT_TYPES[plan.output.format];
      const key = keyOf(plan, generator, tag);
      const found = (await findInGallery(plan)) ?? (await store.find(key, contentType));
      if (found || request.method === 'HEAD') return send(found ?? { source: sourceOf(plan) });
      await checkQuota(request, withinQuota);
      const body = await onceAtATime({
        key,
        signal: request.signal,
        async begin(wanted) {
          const metadata = metadataOf(plan, generator);
          const bytes = await make({ plan, metadata, model, wanted, request });
          store.keep(key, { bytes, contentType });
          return bytes;
        },
      });
      return send({ body, source: sourceOf(plan) });
    },
  };
}

/** A picture that somebody waits for. */
interface Wish {
  plan: PicturePlan;
  metadata: Metadata | undefined;
  model: Model;
  wanted: Wanted;
  request: Request;
}

/** The path of a request, with its query. */
function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}

/** Pictures that only have to be rendered, or read from the gallery. */
interface Prepared {
  count: number;
  /** Estimated milliseconds of each. */
  renderMs: number;
  get: (pause: Pause) => Promise<Picture[]>;
}

/** Everything that is known of a generator without its weights. */
async function describe(model: Model): Promise<PlannedFor> {
  const [description, gallery] = await Promise.all([model.describe(), model.loadGallery()]);
  return { ...description, gallery };
}

/** Names the bytes of the answer, however its query is written. */
const tagOf = ({ route, identity }: PicturePlan, { hash, gallery }: PlannedFor): Promise<string> =>
  entityTag(hash, `${gallery?.pictures ?? ''}`, route, canonicalQuery(identity));

/** What the file says of where it is from, if it is to say it. */
function metadataOf(
  { route, identity, title, pictures }: PicturePlan,
  { hash, gallery, manifest: { licence, credit } }: PlannedFor,
): Metadata | undefined {
  const { metadata, ...query } = identity;
  if (metadata === 'none') return undefined;
  // A picture of a gallery is its generator's, of a seed of its own.
  const pin = pinOf({ hash, gallery: pictures.from === 'gallery' ? undefined : gallery });
  return { title, address: pinnedAddress(pin, route, query), generator: hash, licence, credit };
}

/** Under it stores keep the answer, whatever the server is called. */
const keyOf = ({ route, output }: PicturePlan, { hash }: PlannedFor, tag: string): string =>
  `${hash}/${route}/${tag.replaceAll('"', '')}.${output.format}`;

function fileHeaders(
  headers: Headers,
  { output: { format }, fileName }: PicturePlan,
  { licence }: GeneratorManifest,
): Headers {
  headers.set('Content-Type', CONTENT_TYPES[format]);
  headers.set('X-Robots-Tag', 'noindex');
  const url = licence === undefined ? undefined : licenceUrl(licence);
  if (url) headers.set('Link', `<${url}>; rel="license"`);
  if (fileName) headers.set('Content-Disposition', attachment(format, ...fileName));
  return headers;
}

/** A file of the gallery that is the answer as it is. */
async function findInGallery({ pictures }: PicturePlan): Promise<Answer | undefined> {
  if (pictures.from !== 'gallery' || !pictures.isFile) return undefined;
  return { body: await pictures.gallery.read(pictures.seed), source: 'gallery' };
}

const sourceOf = ({ pictures }: PicturePlan): Source =>
  pictures.from === 'gallery' ? 'gallery' : 'rendered';

/** A body, which HEAD does without, and where it comes from. */
interface Answer {
  body?: BodyInit | undefined;
  source: Source;
}

const sender =
  ({ method }: Request, headers: Headers) =>
  async ({ body, source }: Answer): Promise<Response> => {
    headers.set('Killme-Source', source);
    if (method !== 'HEAD') return new Response(body ?? null, { headers });
    if (body instanceof ReadableStream) await body.cancel();
    return new Response(null, { headers });
  };
