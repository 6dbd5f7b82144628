/**
 * workerd by itself, without the servers that wrangler puts before it: those do not tell the worker
 * that a client has disconnected.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nameFolder } from '@killme/edge';
import { unstable_readConfig as readConfig } from 'wrangler';
import { assembleAssets } from '../../apps/edge/scripts/assemble.ts';
import { expectServer, type Server, start } from '../servers.ts';

const EDGE = fileURLToPath(new URL('../../apps/edge', import.meta.url));
const BIN = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

/** A server, and the folder that its static assets are in. */
export interface BareServer extends Server {
  assets: string;
}

/** The bundle that wrangler deploys, in workerd, without a cache and a bucket. */
export async function startBareWorkerd(generator: string): Promise<BareServer> {
  const folder = await mkdtemp(`${tmpdir()}/killme-workerd-`);
  const remove = () => rm(folder, { recursive: true });
  try {
    const assets = `${folder}/assets`;
    await assembleAssets({ generators: [nameFolder(generator)] }, assets);
    await promisify(execFile)(
      `${BIN}/wrangler`,
      ['deploy', '--dry-run', '--outdir', folder, '--assets', assets],
      { cwd: EDGE, env: { ...process.env, WRANGLER_LOG_PATH: `${folder}/logs` } },
    );
    const config = `${folder}/workerd.capnp`;
    await writeFile(config, configOf(await readdir(folder)));
    const server = expectServer(
      await start(
        (port) => [
          `${BIN}/workerd`,
          ...['serve', config, '--socket-addr', `http=localhost:${port}`],
          ...['--directory-path', `assets=${assets}`],
        ],
        undefined,
        (_, port) => answers(port), // it says nothing itself
      ),
    );
    return { ...server, assets, stop: () => server.stop().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

const answers = (port: string) =>
  fetch(`http://localhost:${port}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

/** A configuration as workerd reads it (Cap'n Proto), of what wrangler has bundled. */
function configOf(files: readonly string[]): string {
  const { compatibility_date, compatibility_flags } = readConfig({
    config: `${EDGE}/wrangler.jsonc`,
  });
  const binaries = files
    .filter((name) => name.endsWith('.wasm'))
    .map((name) => `(name = "${name}", wasm = embed "${name}")`);
  const modules = ['(name = "worker.js", esModule = embed "worker.js")', ...binaries];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [${modules.join(', ')}],
      compatibilityDate = "${compatibility_date}",
      compatibilityFlags = ${JSON.stringify(compatibility_flags)},
      bindings = [(name = "ASSETS", service = "assets")],
    )),
    (name = "assets", disk = (writable = false)),
  ],
  sockets = [(name = "http", http = (), service = "worker")],
);
`;
}
