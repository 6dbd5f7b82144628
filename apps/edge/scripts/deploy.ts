/**
 * Puts generators on Cloudflare, through `wrangler deploy`; what follows `--` is given to that.
 *
 *     node scripts/deploy.ts [--generator [NAME=]DIR … | --newest-run] [--gallery DIR]
 *       [--keep DIR …] [--immutable] [-- --dry-run …]
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { chooseServed, readArgumentsAndRest, runScript, servedOptions } from './arguments.ts';
import { assembleAssets, describeServed } from './assemble.ts';
import { EDGE_FOLDER, WRANGLER } from './wrangler.ts';

async function main(): Promise<void> {
  const { options, rest } = readArgumentsAndRest(servedOptions);
  const served = await chooseServed(options);
  const checked = await assembleAssets(served);
  console.log(`Deploying ${describeServed(served, checked)}`);
  const wrangler = spawn(process.execPath, [WRANGLER, 'deploy', ...rest], {
    cwd: EDGE_FOLDER,
    stdio: 'inherit',
  });
  const [status] = await once(wrangler, 'exit');
  process.exitCode = status ?? 1;
}

if (import.meta.main) await runScript(main);
