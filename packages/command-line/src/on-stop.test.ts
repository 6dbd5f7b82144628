import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';

const PROGRAM = `
import { writeFileSync } from 'node:fs';
import { onStop } from ${JSON.stringify(new URL('./on-stop.ts', import.meta.url).href)};
setInterval(() => {}, 1000);
onStop((reason) => { writeFileSync('stopped', reason); process.exit(0); });
writeFileSync('ready', '');
`;

/** Resolves when a file of that name has been written to the folder. */
async function fileWritten(folder: string, name: string): Promise<string> {
  const watcher = watch(folder);
  try {
    for (;;) {
      const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
      if (text !== undefined && (text !== '' || name === 'ready')) return text;
      await once(watcher, 'change');
    }
  } finally {
    watcher.close();
  }
}

/** A folder with the program and a package.json that starts it. */
async function programFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'killme-stop-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const scripts = { forever: `exec ${process.execPath} program.mjs` };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts }));
  await writeFile(join(folder, 'program.mjs'), PROGRAM);
  return folder;
}

// A terminal's Ctrl-C, systemd and an ssh that closes reach the program itself.
it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a program ends when it gets %s',
  async (signal) => {
    const cwd = await programFolder();
    const program = spawn(process.execPath, ['program.mjs'], { cwd, stdio: 'ignore' });
    await fileWritten(cwd, 'ready');
    program.kill(signal);
    expect(await fileWritten(cwd, 'stopped')).toBe(signal);
  },
);

// npm has no child that these signals reach on Windows.
describe.skipIf(process.platform === 'win32')('a program that npm started', () => {
  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
    ['SIGHUP', 'parent-gone'],
    ['SIGKILL', 'parent-gone'],
  ] as const)('ends when npm alone gets %s', async (signal, reason) => {
    const folder = await programFolder();
    const npm = spawn('npm', ['run', 'forever'], { cwd: folder, stdio: 'ignore' });
    await fileWritten(folder, 'ready');
    npm.kill(signal);
    expect(await fileWritten(folder, 'stopped')).toBe(reason);
  });
});
