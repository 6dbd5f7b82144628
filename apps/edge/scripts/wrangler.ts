import { fileURLToPath } from 'node:url';

/** Where wrangler is run, beside its wrangler.jsonc. */
export const EDGE_FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** wrangler's script, for Node. */
export const WRANGLER = fileURLToPath(
  new URL('./bin/wrangler.js', import.meta.resolve('wrangler/package.json')),
);
