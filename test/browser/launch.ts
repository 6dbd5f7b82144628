/**
 * The Chromium that the tests use: `CHROMIUM_PATH`, else one on the path, else the one that npm
 * brought (`@sparticuz/chromium`, for Linux on x64).
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The package's own names folders of AWS. Without any font a page with text crashes. */
const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/** Unpacked programs are kept here, each in a folder named after its version. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/killme', import.meta.url));

/** A program and what it needs in its environment. */
export interface Chromium {
  program: string;
  env: Readonly<Record<string, string>>;
}

/**
 * Starts the machine's Chromium without a window.
 * @param options.args are added to the command line
 * @throws Error in one line when there is no Chromium, or when it lacks libraries.
 */
export async function launchChromium({ args = [] }: { args?: string[] } = {}): Promise<Browser> {
  const { program, env } = await findChromium();
  return chromium.launch({ executablePath: program, args, env: { ...process.env, ...env } });
}

/** @throws Error in one line when there is no Chromium, or when it lacks libraries. */
export async function findChromium(): Promise<Chromium> {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (isProgram(named)) return { program: named, env: {} };
    throw new Error(`CHROMIUM_PATH is ${named}, which is not a program`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  const installed = PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name)));
  const program = installed.find(isProgram);
  if (program) return { program, env: {} };
  if (process.platform === 'linux' && process.arch === 'x64') return unpackChromium();
  throw new Error(
    'no Chromium was found: install Chromium or Chrome, or give the path of its program in CHROMIUM_PATH',
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The Chromium of `@sparticuz/chromium`, with its own libraries where the system lacks them. */
async function unpackChromium(): Promise<Chromium> {
  const entry = fileURLToPath(import.meta.resolve('@sparticuz/chromium'));
  const manifest = join(dirname(entry), '../package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  const folder = join(CACHE, `chromium-${version}`);
  if (!existsSync(folder)) await unpackInto(folder);

  const program = join(folder, 'chromium');
  const libraries = { LD_LIBRARY_PATH: join(folder, 'al2023/lib') };
  const env = {
    ...((await missingLibraries(program, {})).length > 0 ? libraries : {}),
    FONTCONFIG_FILE: join(folder, 'fonts/fonts.conf'),
  };
  const missing = await missingLibraries(program, env);
  if (missing.length === 0) return { program, env };
  throw new Error(
    `${program} lacks ${missing.join(', ')}: install the packages that have them, or a Chromium`,
  );
}

/**
 * The package unpacks into the temporary folder of its process, and takes whatever lies there for
 * complete. So it gets an empty one, which is renamed when it is done.
 */
async function unpackInto(folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const aside = await mkdtemp(join(CACHE, 'unpacking-'));
  const script = "import chromium from '@sparticuz/chromium'; await chromium.executablePath();";
  try {
    await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: import.meta.dirname,
      // The libraries of Amazon Linux 2023 are unpacked only where the package sees that system.
      env: { ...process.env, TMPDIR: aside, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
    });
    await writeFile(join(aside, 'fonts/fonts.conf'), FONTS_CONF);
    await rename(aside, folder);
  } catch (error) {
    // Another process was faster: a folder that is not empty is not replaced.
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** What the dynamic linker does not find, such as `libnss3.so`. */
async function missingLibraries(
  program: string,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { stdout } = await run('ldd', [program], { env: { ...process.env, ...env } });
  return [...stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, library]) => library!);
}
