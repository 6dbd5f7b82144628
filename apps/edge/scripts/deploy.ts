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
import { runCommand } from '@killme/command-line';
import { chooseServed, readArgumentsAndRest, servedOptions } from './arguments.ts';
import { assembleAssets, describeServed } from './assemble.ts';
import {
  describeDeployment,
  linesOfVanishing,
  newestDeployment,
  rememberDeployment,
  workerOf,
} from './deployments.ts';
import { EDGE_FOLDER, WRANGLER } from './wrangler.ts';

const ABOUT = `Usage: npm run deploy -- [options] [-- options of wrangler deploy]

Puts generators on Cloudflare Workers. The first time wrangler opens a browser to log in; where there
is none, CLOUDFLARE_API_TOKEN holds a token. \`-- --dry-run\` builds everything and deploys nothing.`;

async function main(): Promise<void> {
  const { options, rest } = readArgumentsAndRest(servedOptions, ABOUT);
  const served = await chooseServed(options);
  const checked = await assembleAssets(served);
  console.log(`Deploying ${describeServed(served, checked)}`);
  const worker = workerOf(rest);
  const deployment = describeDeployment(served, checked);
  const before = await newestDeployment(worker);
  if (before) for (const line of await linesOfVanishing(before, deployment)) console.error(line);
  const wrangler = spawn(process.execPath, [WRANGLER, 'deploy', ...rest], {
    cwd: EDGE_FOLDER,
    stdio: 'inherit',
  });
  const [status] = await once(wrangler, 'exit');
  process.exitCode = status ?? 1;
  if (status === 0 && !rest.includes('--dry-run')) await rememberDeployment(worker, deployment);
}

if (import.meta.main) await runCommand(main);
