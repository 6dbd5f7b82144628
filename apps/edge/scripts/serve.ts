/**
 * Your own server, under Node: a process for each core, a store of pictures on disk, an access
 * log, metrics. See src/runtimes/node/.
 *
 *     node scripts/serve.ts [--generator [NAME=]DIR … | --newest-run] [--gallery DIR] [--keep DIR …]
 *       [--immutable] [--port 8787] [--host localhost] [--processes N] [--cache DIR|off]
 *       [--cache-size MB] [--access-log on|off] [--metrics [HOST:]PORT] [--check]
 *
 * @module
 */
import { access, constants, mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import {
  defaultCacheDir,
  explainFileError,
  readWhole,
  runCommand,
  userPath,
} from '@killme/command-line';
import { UserError } from '@killme/model';
import { httpOrigin } from '../src/runtimes/http-origin.ts';
import { supervise } from '../src/runtimes/node/supervisor.ts';
import {
  chooseServed,
  listenOptions,
  readArguments,
  type ScriptOptions,
  servedOptions,
} from './arguments.ts';
import { checkPort } from './check-port.ts';

/** Longer than a server that is well ever takes to answer /healthz. */
const CHECK_MS = 5000;

/** The first that has all that is used here; npm scripts run on it anyway, a bundle on what is there. */
const OLDEST_NODE = 24;

const ABOUT = `Usage: npm run serve -- [options]

Serves generators on this machine under Node: a process for each core, a store of images on disk,
an access log, metrics.`;

const serveOptions = () =>
  ({
    ...servedOptions,
    ...listenOptions,
    processes: {
      type: 'string',
      default: String(availableParallelism()),
      value: 'N',
      help: 'processes; by default one for each core',
    },
    cache: {
      type: 'string',
      default: join(defaultCacheDir(), 'pictures'),
      value: 'DIR|off',
      help: 'the store of rendered images on disk',
    },
    'cache-size': {
      type: 'string',
      default: '1024',
      value: 'MB',
      help: 'megabytes that the store may take',
    },
    'access-log': {
      type: 'string',
      default: 'on',
      value: 'on|off',
      help: 'a line on the standard output for each request',
    },
    metrics: {
      type: 'string',
      value: '[HOST:]PORT',
      help: 'serve /metrics for Prometheus on this port',
    },
    check: {
      type: 'boolean',
      default: false,
      help: 'ask the server at --host and --port whether it is well; ends with 0 or 1',
    },
  }) as const satisfies ScriptOptions;

async function main(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new UserError(`Node ${OLDEST_NODE} or newer is needed, this is ${process.version}`);
  }
  const options = readArguments(serveOptions(), ABOUT);
  const { host } = options;
  const port = readWhole('--port', options.port, { least: 0, most: 65535 });
  if (options.check) return checkServer(host, port);
  const processes = readWhole('--processes', options.processes, { least: 1, most: 256 });
  const cacheMb = readWhole('--cache-size', options['cache-size'], { least: 1, most: 1e7 });
  const accessLog = readSwitch('--access-log', options['access-log']);
  const metrics = options.metrics === undefined ? undefined : readMetrics(options.metrics);
  const { generators, immutable = false } = await chooseServed(options);
  await checkPort(host, port);
  if (metrics) await checkMetrics(metrics, { host, port });
  await supervise({
    generators: [...generators],
    ...{ immutable, host, port, processes, accessLog, metrics },
    cache: options.cache === 'off' ? undefined : await openCache(userPath(options.cache)),
    cacheBytes: cacheMb * 1e6,
  });
}

/** For a container's health check: whether the server that listens there is well. */
async function checkServer(host: string, port: number): Promise<void> {
  const signal = AbortSignal.timeout(CHECK_MS);
  const address = `${httpOrigin(host, port)}/healthz`;
  const answer = await fetch(address, { signal }).catch((error: Error) => error);
  if (answer instanceof Response && answer.ok) return;
  const why = answer instanceof Response ? `answers ${answer.status}` : 'does not answer';
  throw new UserError(`${address} ${why}`);
}

/** @throws UserError when this person cannot write there. */
async function openCache(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw explainFileError(error, `--cache ${folder}`, 'written');
  }
  return folder;
}

function readSwitch(name: string, text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new UserError(`${name} must be on or off, not ${text}`);
}

/** `9464`, `0.0.0.0:9464` or `[::1]:9464`. */
function readMetrics(text: string): Listening {
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]:|([^:]+):)?(\d+)$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw new UserError(`--metrics must be PORT or HOST:PORT, not ${text}`);
  }
  const port = readWhole('--metrics', digits, { least: 1, most: 65535 });
  return { host: bracketed ?? plain ?? 'localhost', port };
}

/** @throws UserError when nobody can listen there, or the pictures are served there. */
async function checkMetrics(metrics: Listening, pictures: Listening): Promise<void> {
  if (metrics.port === pictures.port && metrics.host === pictures.host) {
    throw new UserError(`--metrics and --port are both ${metrics.port}: choose another for one`);
  }
  await checkPort(metrics.host, metrics.port, '--metrics');
}

interface Listening {
  host: string;
  port: number;
}

if (import.meta.main) await runCommand(main);
