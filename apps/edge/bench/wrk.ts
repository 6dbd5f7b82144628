/**
 * wrk (Debian's), a client in C: where a server needs 20 µs for an answer, one in JavaScript would
 * measure itself.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '@killme/model';
import type { Asked } from './load.ts';

/** What wrk counts. */
export interface Wrked {
  perSecond: number;
  p99Ms: number;
  /** Of all answers. */
  count: number;
  /** Answers beside 200 and 304, and connections that failed. */
  errors: number;
}

const SCRIPT_END = `
local number = 0
request = function()
  number = number + 1
  local one = asked[number % #asked + 1]
  return wrk.format("GET", one.path, one.headers)
end
done = function(summary, latency)
  local failed = summary.errors
  io.write(string.format("\\nRESULT %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(99), failed.status + failed.connect + failed.read + failed.write + failed.timeout))
end
`;

/** Asks for the same few things again and again, on one thread. */
export async function wrk({
  origin,
  connections,
  seconds,
  asked,
}: {
  origin: string;
  connections: number;
  seconds: number;
  asked: readonly Asked[];
}): Promise<Wrked> {
  const folder = await mkdtemp(join(tmpdir(), 'killme-wrk-'));
  try {
    const script = `${folder}/requests.lua`;
    await writeFile(script, `local asked = {${asked.map(luaOf).join(', ')}}\n${SCRIPT_END}`);
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, origin];
    const { stdout } = await promisify(execFile)('wrk', args);
    const found = /^RESULT (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout)!.slice(1).map(Number);
    const [count, microseconds, p99Us, errors] = found as [number, number, number, number];
    return { perSecond: (count * 1e6) / microseconds, p99Ms: p99Us / 1000, count, errors };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new UserError('there is no wrk: apt-get install wrk nginx-light');
    }
    throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function luaOf({ path, headers = {} }: Asked): string {
  const pairs = Object.entries(headers).map(([name, value]) => `[${text(name)}] = ${text(value)}`);
  return `{ path = ${text(path)}, headers = { ${pairs.join(', ')} } }`;
}

/** JSON's strings of ASCII are Lua's too. */
const text = (value: string) => JSON.stringify(value);
