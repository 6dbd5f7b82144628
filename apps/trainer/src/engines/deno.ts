/**
 * Runs this program under the Deno that npm installed, which has WebGPU where Node has none.
 *
 * @module
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

/** Whether it is Deno that runs us. */
export const inDeno = 'Deno' in globalThis;

// The lock file and the packages are npm's; Deno is to leave both as they are.
const FLAGS = ['run', '--allow-all', '--unstable-webgpu', '--no-lock', '--node-modules-dir=manual'];

/** The executable of the npm package `deno`; undefined where there is none for this platform. */
export function findDeno(): string | undefined {
  try {
    // The package's own launcher asks the same way. It waits for a child that no signal reaches.
    const install = createRequire(import.meta.url)('deno/install_api.cjs') as {
      runInstall(): string;
    };
    return install.runInstall();
  } catch {
    return undefined;
  }
}

/** Vulkan's window system wants a folder there, and complains on stderr without one. */
export function denoEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir() };
}

/**
 * @param limit milliseconds after which the module is stopped
 * @returns what a module prints under Deno.
 */
export async function runInDeno(deno: string, module: string, limit = 30_000): Promise<string> {
  const options = { env: denoEnvironment(), encoding: 'utf8', timeout: limit } as const;
  return (await promisify(execFile)(deno, [...FLAGS, module], options)).stdout;
}

/**
 * Starts the same command line again, under Deno, in place of this process: signals and the exit
 * code are then Deno's, and nothing is left behind. Never returns.
 */
export async function continueInDeno(deno: string): Promise<never> {
  const parameters = [...FLAGS, ...process.argv.slice(1)];
  // Node 22.15 has it, but not on Windows.
  process.execve?.(deno, [deno, ...parameters], denoEnvironment());
  const child = spawn(deno, parameters, { stdio: 'inherit', env: denoEnvironment() });
  // A terminal sends Ctrl-C to both of us; the child is the one to end, and we end with it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exit(code ?? 1);
}
