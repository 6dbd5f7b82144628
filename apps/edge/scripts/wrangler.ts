import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Where wrangler is run, beside its wrangler.jsonc. */
export const EDGE_FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** wrangler's script, for Node. */
export const WRANGLER = fileURLToPath(
  new URL('./bin/wrangler.js', import.meta.resolve('wrangler/package.json')),
);

/** With this environment it works offline and tells nobody: no statistics, update check, or sample of `request.cf`. */
export const offline = (): NodeJS.ProcessEnv => ({
  ...process.env,
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_LOG_PATH: `${EDGE_FOLDER}/.wrangler/logs`,
  WRANGLER_REGISTRY_PATH: `${EDGE_FOLDER}/.wrangler/registry`,
});
