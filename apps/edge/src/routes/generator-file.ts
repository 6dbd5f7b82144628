import { GENERATOR_MANIFEST, type GeneratorDescription } from '@killme/model';
import type { Handler } from 'hono';
import { ASK_AGAIN, entityTag, respond } from '../caching.ts';
import { noParameters, readParameters } from '../parameters.ts';
import { ProblemError } from '../problem.ts';

/** `GET /generator/…`: the files of the generator, for the engine in the page. */
export function generatorFile(
  describeGenerator: () => Promise<GeneratorDescription>,
  readGenerator: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Handler {
  return async (c) => {
    readParameters(noParameters, c.req.url);
    const name = c.req.param('file') ?? '';
    const { manifest, hash } = await describeGenerator();
    const names = [GENERATOR_MANIFEST, ...manifest.shards.map(({ file }) => file)];
    if (!names.includes(name)) {
      throw new ProblemError(404, `The generator has no such file, only ${names.join(', ')}.`);
    }
    return respond({
      request: c.req.raw,
      tag: await entityTag(hash, 'file', name),
      cacheControl: ASK_AGAIN,
      contentType: name === GENERATOR_MANIFEST ? 'application/json' : 'application/octet-stream',
      make: () => readGenerator(name),
    });
  };
}
