import type { GeneratorManifest } from '@killme/model';
import { licenceUrl } from './licence.ts';

/** What an answer with pictures of a generator says of them. */
export function pictureHeaders({ licence }: GeneratorManifest): Record<string, string> {
  const url = licence === undefined ? undefined : licenceUrl(licence);
  return {
    'X-Robots-Tag': 'noindex',
    ...(url ? { Link: `<${url}>; rel="license"` } : {}),
  };
}
