// @module-tag slow
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { BLUE, makeFolder, RED } from './testing/files.ts';
import { serve } from './testing/server.ts';

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command as npm runs it: inside the package, with the person's own folder in INIT_CWD. */
function data(args: string[], typedIn: string): Promise<Run> {
  const { promise, resolve } = Promise.withResolvers<Run>();
  const child = spawn(process.execPath, ['src/cli.ts', ...args], {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, INIT_CWD: typedIn },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.on('close', (code) => resolve({ code, stdout, stderr }));
  return promise;
}

describe('npm run data --', { timeout: 30_000 }, () => {
  it('inspect shows classes, files omitted and the fingerprint', async () => {
    const folder = await makeFolder({
      'icons/a/1.png': RED,
      'icons/a/2.png': RED,
      'icons/b/3.png': BLUE,
      'icons/b/4.png': 'text',
    });
    const { code, stdout, stderr } = await data(['inspect', 'icons'], folder);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 5)).toEqual([
      'icons: 3 images of 128 × 128 pixels, classes: 2',
      '  a: 2',
      '  b: 1',
      'formats: png 3',
      'shorter side: 8 to 8 pixels, median 8',
    ]);
    expect(lines).toContain('  b/4.png: its content is not an image that can be read');
    expect(stdout).toMatch(/^fingerprint: [0-9a-f]{64}$/m);
  });

  it('inspect --json gives a program the same', async () => {
    const folder = await makeFolder({ 'a/1.png': RED, 'b/\x1b[31m.png': 'text' });
    const { stdout } = await data(['inspect', '.', '--json'], folder);
    expect(JSON.parse(stdout)).toMatchObject({
      count: 1,
      classes: [{ name: 'a', count: 1 }],
      oneColour: ['1.png'].map((name) => `a/${name}`),
      omitted: [{ file: 'b/\x1b[31m.png' }],
      training: ['train refuses it: a GAN needs at least 2 images'],
    });
    expect((await data(['inspect', '.'], folder)).stdout).toContain(
      '  b/\\x1b[31m.png: its content',
    );
  });

  it('inspect reads every frame where that is asked for, and writes a contact sheet', async () => {
    const frames = Buffer.concat([Buffer.alloc(192, 9), Buffer.alloc(192, 200)]);
    const gif = sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } }).gif();
    const folder = await makeFolder({ 'icons/1.gif': await gif.toBuffer(), 'icons/2.png': RED });
    const args = ['inspect', 'icons', '--frames', 'all', '--sheet', 'sheet.png'];
    const { stdout } = await data(args, folder);
    expect(stdout).toMatch(/^icons: 3 images of 128 × 128 pixels/);
    expect(stdout).toMatch(/\ncontact sheet: .*\/sheet\.png\n$/);
    expect(await sharp(join(folder, 'sheet.png')).metadata()).toMatchObject({ format: 'png' });
  });

  it('inspect --strict stops at a bad image with one line', async () => {
    const folder = await makeFolder({ '1.png': RED, '2.png': BLUE, '3.png': 'text' });
    expect(await data(['inspect', '.', '--strict'], folder)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `error: bad image 3.png in ${folder}: its content is not an image that can be read; ` +
        'mend or remove it, or omit --strict\n',
    });
  });

  it('inspect of a missing path fails with one line', async () => {
    const folder = await makeFolder();
    const { code, stderr } = await data(['inspect', 'nowhere'], folder);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `error: ${folder}/nowhere does not exist: give a folder, a .zip or a .rar of images\n`,
    );
  });

  it('fetch refuses a file with another hash and leaves nothing', async () => {
    const folder = await makeFolder();
    const from = await serve((_, response) => response.end('not the archive'));
    const { code, stderr } = await data(['fetch', '--from', from], folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .+ is not the archive of the article: git blob sha1 .+\n$/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('characters --to renders them where they are wanted', async () => {
    const folder = await makeFolder();
    const { code, stdout } = await data(['characters', '--to', 'faces'], folder);
    expect(code).toBe(0);
    expect(stdout).toContain(`the characters are in ${folder}/faces/icons\n`);
    expect(await readdir(join(folder, 'faces'))).toEqual(['CREDITS.txt', 'icons', 'manifest.json']);
  });

  it('personas writes the second set, and says how to train on it', async () => {
    const folder = await makeFolder();
    const { code, stdout } = await data(['personas', '--to', 'people'], folder);
    expect(code).toBe(0);
    expect(stdout).toContain(`600 personas in ${folder}/people/icons: train with --data people\n`);
    const inspected = await data(['inspect', 'people'], folder);
    expect(inspected.stdout).toContain('people: 600 images of 128 × 128 pixels, classes: 5\n');
  });

  it('names an option it does not know', async () => {
    const { code, stderr } = await data(['inspect', '--bogus'], await makeFolder());
    expect(code).toBe(1);
    expect(stderr).toBe("error: unknown option '--bogus'\n");
  });
});
