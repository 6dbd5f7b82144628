import { createFactory } from 'hono/factory';
import { galleryFile } from '../client.ts';
import { FILE_HEADERS } from '../generator/gallery.ts';
import type { Models } from '../generator/registry.ts';
import { entityTag, respond } from '../http/etag.ts';
import { pictureHeaders } from '../http/picture-headers.ts';
import { ProblemError, shorten } from '../http/problem.ts';
import { anyQuery } from '../http/query.ts';

/**
 * `GET /g/<hash>/<number>.png`: a file of a gallery, where no server of static files answers before the app,
 * as Cloudflare's does; like that one it does not read the query.
 */
export const galleryPictureFile = (models: Models) =>
  createFactory().createHandlers(anyQuery, async (c) => {
    const { generator, gallery } = await models.findGallery(c.req.param('hash') ?? '');
    const file = c.req.param('file') ?? '';
    const [, number] = /^(0|[1-9]\d{0,6})\.png$/.exec(file) ?? [];
    if (number === undefined || Number(number) >= gallery.pictures) {
      throw new ProblemError(
        404,
        `The gallery has the files 0.png to ${gallery.pictures - 1}.png, not ${shorten(file)}.`,
      );
    }
    const { 'Cache-Control': cacheControl, ...more } = FILE_HEADERS;
    return respond({
      request: c.req.raw,
      tag: await entityTag(generator.hash, galleryFile(generator.hash, Number(number))),
      cacheControl,
      contentType: 'image/png',
      headers: { ...pictureHeaders(generator.manifest), ...more },
      make: () => gallery.read(number),
    });
  });
