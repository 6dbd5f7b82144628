/**
 * nginx with files from disk: the limit for answers that need no rendering.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../src/testing/index.ts';

/** A running nginx. */
export interface Nginx {
  origin: string;
  processId: number;
  stop(): Promise<void>;
}

/** As Debian configures it, with the headers that a picture has here. */
const configOf = (folder: string, port: number) => `
daemon off;
worker_processes auto;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  types { image/png png; }
  access_log ${folder}/access.log;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen localhost:${port};
    root ${folder}/files;
    add_header Cache-Control "public, max-age=31536000, immutable";
    add_header Access-Control-Allow-Origin "*";
  }
}
`;

/**
 * Starts nginx, if this machine has it.
 * @param files that it serves, by name
 */
export async function startNginx(
  files: ReadonlyMap<string, Uint8Array>,
): Promise<Nginx | undefined> {
  if (spawnSync('nginx', ['-v']).error) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'killme-nginx-'));
  await chmod(folder, 0o755); // its processes may be another user's
  await mkdir(`${folder}/files`);
  for (const [name, bytes] of files) await writeFile(`${folder}/files/${name}`, bytes);
  const port = await freePort();
  await writeFile(`${folder}/nginx.conf`, configOf(folder, port));
  const args = ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', `${folder}/error.log`];
  const child = spawn('nginx', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const origin = `http://localhost:${port}`;
  while (child.exitCode === null && !(await fetch(origin).catch(() => undefined))) await wait(20);
  return {
    origin,
    processId: child.pid!,
    async stop() {
      child.kill('SIGQUIT');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}
