import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const EXEC = fileURLToPath(new URL('./exec.js', import.meta.url));

describe('exec, where the shell has none', () => {
  it('passes arguments as they are, and the exit code back', () => {
    const program = 'console.log(JSON.stringify(process.argv.slice(1))); process.exit(3)';
    const args = [EXEC, 'node', '-e', program, 'a  b', '"', '*', ''];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect([JSON.parse(stdout), status]).toEqual([['a  b', '"', '*', ''], 3]);
  });

  it('says what cannot be started', () => {
    const { stderr, status } = spawnSync(process.execPath, [EXEC, 'no-such'], { encoding: 'utf8' });
    expect([stderr, status]).toEqual(['no-such cannot be started: spawnSync no-such ENOENT\n', 1]);
  });

  it.skipIf(process.platform === 'win32')('ends after its program at Ctrl-C', async () => {
    const program = `
      process.on('SIGINT', () => setTimeout(() => process.exit(4), 100));
      setInterval(() => {}, 1e6);
      console.log('ready');`;
    const group = spawn(process.execPath, [EXEC, 'node', '-e', program], {
      detached: true, // a terminal's Ctrl-C goes to a whole group
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(group.stdout, 'data');
    process.kill(-group.pid!, 'SIGINT');
    expect(await once(group, 'exit')).toEqual([4, null]);
  });
});
