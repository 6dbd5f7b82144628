/**
 * The entry for Deno.
 *
 *     deno run --allow-net --allow-read --allow-env=INIT_CWD,TURBO_INVOCATION_DIR,npm_lifecycle_event src/runtimes/deno.ts [--generator [NAME=]DIR …] [--gallery DIR] [--keep DIR …] [--immutable] [--port N] [--host NAME]
 *
 * @module
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { onStop, readWhole } from '@killme/command-line';
import { UserError } from '@killme/model';
import { createApp } from '../app.ts';
import { diskOptions, loadAll } from './disk.ts';
import { httpOrigin } from './http-origin.ts';
import { memoryStore } from './memory-store.ts';
import { readFolders, readKept, SHIPPED_GENERATORS, withGallery } from './named-folder.ts';

declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen(at: { port: number }): void },
    handler: (request: Request) => Response | Promise<Response>,
  ): { shutdown(): Promise<void> };
  errors: { AddrInUse: new () => Error };
};

async function main(): Promise<void> {
  const { generators, immutable, port, host } = readOptions();
  const options = diskOptions(generators);
  const loaded = await loadAll(options.listGenerators);
  const app = createApp({
    ...options,
    listGenerators: async () => loaded,
    isImmutable: async () => immutable,
    stores: [memoryStore()],
  });
  const server = Deno.serve(
    {
      port,
      hostname: host,
      onListen: (at) =>
        console.log(
          `Ready on ${httpOrigin(host, at.port)} (${loaded.map(({ name }) => name).join(', ')})`,
        ),
    },
    app.fetch,
  );
  let isStopping = false;
  onStop(() => {
    if (isStopping) process.exit(130);
    isStopping = true;
    // Requests that have begun are answered first.
    void server.shutdown().then(() => process.exit(0));
  });
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      generator: { type: 'string', multiple: true },
      gallery: { type: 'string' },
      keep: { type: 'string', multiple: true },
      immutable: { type: 'boolean', default: false },
      port: { type: 'string', default: '8787' },
      host: { type: 'string', default: 'localhost' },
    },
  });
  return {
    generators: [
      ...withGallery(
        values.generator ? readFolders(values.generator) : SHIPPED_GENERATORS,
        values.gallery,
      ),
      ...readKept(values.keep ?? []),
    ],
    immutable: values.immutable,
    port: readWhole('--port', values.port, { least: 0, most: 65535 }),
    host: values.host,
  };
}

/** Mistakes of the person at the keyboard are one line; anything else is a bug, with its stack. */
function explain(error: unknown): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) {
    return 'the port is in use: choose another with --port';
  }
  if (error instanceof Error && LISTEN_ERRORS.test(error.message)) {
    return `cannot listen there (${error.message}): choose another --host or --port`;
  }
  if (error instanceof UserError) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof Error && code.startsWith('ERR_PARSE_ARGS') ? error.message : undefined;
}

/** What systems and resolvers say of a host or port that is not this machine's or not this person's. */
const LISTEN_ERRORS =
  /assign requested address|permission denied|lookup address|name resolution|Name or service/i;

try {
  await main();
} catch (error) {
  const line = explain(error);
  if (line === undefined) throw error;
  console.error(`error: ${line}`);
  process.exit(1);
}
