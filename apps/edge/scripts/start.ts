/**
 * Serves generators in workerd on this machine, through `wrangler dev`. Needs no network and no
 * account.
 *
 *     node scripts/start.ts [--generator [NAME=]DIR … | --newest-run] [--gallery DIR] [--keep DIR …]
 *       [--immutable] [--port 8787] [--host localhost] [--config wrangler.jsonc] [--inspector-port N]
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { onStop, readWhole, runCommand, userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { httpOrigin } from '../src/runtimes/http-origin.ts';
import { chooseServed, listenOptions, readArguments, servedOptions } from './arguments.ts';
import { assembleAssets, describeServed } from './assemble.ts';
import { checkPort } from './check-port.ts';
import { EDGE_FOLDER, offline, WRANGLER } from './wrangler.ts';

const ABOUT = `Usage: npm start -- [options]
       npm run dev -- [options]    (the same with --newest-run)

Serves generators on this machine, in the Workers runtime (wrangler dev), for trying them out.
\`npm run serve\` is the server for others, \`npm run deploy\` puts it on Cloudflare.`;

const WRANGLER_CONFIG = `${EDGE_FOLDER}wrangler.jsonc`;

/** Longer than workerd has ever taken to start, on a busy machine too. */
const START_SECONDS = 120;

/** What a person should know who lets others reach this server. */
const OPEN_TOOLS =
  'Everybody who reaches this host can use wrangler’s developer tools too (/cdn-cgi/explorer): ' +
  'for others serve with `npm run serve` or `npm run deploy`';

async function main(): Promise<void> {
  const options = readArguments(
    {
      ...servedOptions,
      ...listenOptions,
      config: {
        type: 'string',
        value: 'FILE',
        help: 'another configuration of wrangler than apps/edge/wrangler.jsonc',
      },
      'inspector-port': {
        type: 'string',
        default: '0',
        value: 'N',
        help: 'the port for Chrome’s DevTools; 0 takes any free one',
      },
    },
    ABOUT,
  );
  const { host } = options;
  const config = options.config === undefined ? WRANGLER_CONFIG : userPath(options.config);
  const port = readWhole('--port', options.port, { least: 1, most: 65535 });
  const served = await chooseServed(options);
  await checkPort(host, port); // wrangler would take another one in silence
  // Its own folder for each port, so that two servers do not take each other's assets away.
  const assets = `${EDGE_FOLDER}/dist/serve/${port}`;
  // What the caches and buckets of workerd hold begins empty and ends with the server: a picture that
  // older code rendered must not come back.
  const state = `${assets}-state`;
  const remove = () =>
    Promise.all([assets, state].map((folder) => rm(folder, { recursive: true, force: true })));
  try {
    await remove();
    const checked = await assembleAssets(served, assets);
    console.log(`Serving ${describeServed(served, checked)}`);
    const inspectorPort = options['inspector-port'];
    await runWrangler({ host, port, assets, state, config, inspectorPort });
  } finally {
    await remove();
  }
}

interface WranglerOptions {
  host: string;
  port: number;
  assets: string;
  state: string;
  inspectorPort: string;
  config: string;
}

async function runWrangler({
  host,
  port,
  assets,
  state,
  config,
  inspectorPort,
}: WranglerOptions): Promise<void> {
  const wrangler = spawn(
    process.execPath,
    [
      WRANGLER,
      'dev',
      ...['--ip', host, '--port', String(port), '--inspector-port', inspectorPort],
      ...['--config', config, '--assets', assets, '--persist-to', state],
      ...['--log-level', 'warn', '--show-interactive-dev-session=false'],
    ],
    {
      cwd: EDGE_FOLDER,
      stdio: ['ignore', 'inherit', 'pipe'],
      env: offline(),
    },
  );
  wrangler.stderr.pipe(process.stderr, { end: false });
  let stopped = false;
  onStop(() => {
    stopped = true;
    // Its esbuild may be in the middle of something when wrangler goes, and then prints all that its
    // threads were doing (evanw/esbuild#3287).
    wrangler.stderr.unpipe(process.stderr).resume();
    wrangler.kill('SIGINT'); // what wrangler itself ends workerd at
  });
  const exited = once(wrangler, 'exit');
  if (await isReady(wrangler, host, port)) {
    console.log(`Ready on ${httpOrigin(host, port)}  (Ctrl-C ends it)`);
    if (!isLoopback(host)) console.log(OPEN_TOOLS);
  }
  await exited;
  if (!stopped) throw new UserError('wrangler dev has ended by itself; its lines above say why');
}

const isLoopback = (host: string) =>
  host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);

/** Waits until the worker answers; false when wrangler ended or took too long. */
async function isReady(wrangler: ChildProcess, host: string, port: number): Promise<boolean> {
  const giveUp = Date.now() + START_SECONDS * 1000;
  while (wrangler.exitCode === null && wrangler.signalCode === null && Date.now() < giveUp) {
    const answer = await fetch(`${httpOrigin(host, port)}/healthz`).catch(() => undefined);
    if (answer?.ok) return true;
    await wait(100);
  }
  return false;
}

if (import.meta.main) await runCommand(main);
