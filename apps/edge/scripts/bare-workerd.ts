/**
 * The Worker in workerd by itself, for tests and benches: `npm start` puts two proxies of wrangler's
 * before it, which hold requests back and do not say that a client has disconnected.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { promisify } from 'node:util';
import { unstable_readConfig as readConfig } from 'wrangler';
import type { Served } from './arguments.ts';
import { assembleAssets } from './assemble.ts';
import { EDGE_FOLDER, offline, WRANGLER } from './wrangler.ts';

/** Files to run workerd with. */
export interface BareWorkerd {
  /** The program and its arguments; it prints nothing when it is ready. */
  command(port: number | string): [string, ...string[]];
  /** The folder that its static assets are in. */
  assets: string;
  remove(): Promise<void>;
}

/** Bundles the Worker as wrangler deploys it, without a cache and a bucket, in a temporary folder. */
export async function bundleBareWorkerd(served: Served): Promise<BareWorkerd> {
  const folder = await mkdtemp(`${tmpdir()}/killme-workerd-`);
  const remove = () => rm(folder, { recursive: true });
  try {
    const assets = `${folder}/assets`;
    await assembleAssets(served, assets);
    await promisify(execFile)(
      process.execPath,
      [WRANGLER, 'deploy', '--dry-run', '--outdir', folder, '--assets', assets],
      { cwd: EDGE_FOLDER, env: { ...offline(), WRANGLER_LOG_PATH: `${folder}/logs` } },
    );
    const config = `${folder}/workerd.capnp`;
    await writeFile(config, configOf(await readdir(folder)));
    const command: BareWorkerd['command'] = (port) => [
      findWorkerd(),
      ...['serve', config, '--socket-addr', `http=localhost:${port}`],
      ...['--directory-path', `assets=${assets}`],
    ];
    return { command, assets, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** workerd's executable: a signal for its launcher in Node would not reach it. */
export function findWorkerd(): string {
  const workerd: { default: string } = createRequire(import.meta.resolve('wrangler/package.json'))(
    'workerd',
  );
  return workerd.default;
}

/** A configuration as workerd reads it (Cap'n Proto), of what wrangler has bundled. */
function configOf(files: readonly string[]): string {
  const { compatibility_date, compatibility_flags } = readConfig({
    config: `${EDGE_FOLDER}/wrangler.jsonc`,
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
