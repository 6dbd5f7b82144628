import { GENERATOR_MANIFEST } from '@killme/model';
import type { Handler } from 'hono';
import type { Models } from '../generator/registry.ts';
import { ASK_AGAIN, entityTag, FOR_EVER, respond } from '../http/etag.ts';
import { modelParameters } from '../http/parameters.ts';
import { ProblemError } from '../http/problem.ts';
import { readParameters } from '../http/query.ts';
import { checkQuota, type WithinQuota } from '../http/quota.ts';
import { pinIn } from './asked.ts';

/** `GET /generator/…`: the files of a generator, for the engine in the page. */
export function generatorFile(models: Models, withinQuota: WithinQuota): Handler {
  return async (c) => {
    const { model } = readParameters(modelParameters, c.req.url);
    const pin = pinIn(c);
    const { describe, openFile } = await models.find({ model, pin });
    if (!openFile) throw new ProblemError(404, 'This server keeps its generator to itself.');
    const file = c.req.param('file') ?? '';
    const { manifest, hash } = await describe();
    const files = [GENERATOR_MANIFEST, ...manifest.shards.map((shard) => shard.file)];
    if (!files.includes(file)) {
      throw new ProblemError(404, `The generator has no such file, only ${files.join(', ')}.`);
    }
    return respond({
      request: c.req.raw,
      tag: await entityTag(hash, 'file', file),
      cacheControl: pin === undefined ? ASK_AGAIN : FOR_EVER,
      contentType: file === GENERATOR_MANIFEST ? 'application/json' : 'application/octet-stream',
      async make() {
        await checkQuota(c.req.raw, withinQuota);
        return openFile(file, c.req.raw.signal);
      },
    });
  };
}
