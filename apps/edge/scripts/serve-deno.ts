/**
 * Serves generators under the Deno that npm installed, on this machine or as a server of one's own.
 *
 *     node scripts/serve-deno.ts [the options of src/runtimes/deno.ts]
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { onStop } from '@killme/command-line';
import { UserError } from '@killme/model';
import { runScript } from './arguments.ts';
import { buildPage } from './build-page.ts';

const PERMISSIONS = [
  '--allow-net',
  '--allow-read',
  '--allow-env=INIT_CWD,TURBO_INVOCATION_DIR,npm_lifecycle_event',
];
const PROGRAM = fileURLToPath(new URL('../src/runtimes/deno.ts', import.meta.url));

async function main(): Promise<void> {
  await buildPage();
  const deno = findDeno();
  const parameters = ['run', ...PERMISSIONS, PROGRAM, ...process.argv.slice(2)];
  // In place of this process, so that signals are Deno's. Windows has no such call.
  if (process.platform !== 'win32') process.execve?.(deno, [deno, ...parameters], process.env);
  const child = spawn(deno, parameters, { stdio: 'inherit' });
  onStop(() => child.kill());
  const [code] = await once(child, 'exit');
  process.exitCode = code ?? 1;
}

/** The executable of the npm package `deno`; its own launcher passes no signal on. */
function findDeno(): string {
  try {
    const install: { runInstall(): string } = createRequire(import.meta.url)(
      'deno/install_api.cjs',
    );
    return install.runInstall();
  } catch {
    throw new UserError('npm installed no Deno for this platform: npm start serves by workerd');
  }
}

await runScript(main);
