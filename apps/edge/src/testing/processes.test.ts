import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import { familyOf } from './processes.ts';

it('a process’s family is itself, its children and theirs', async () => {
  const program = `require('child_process').spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)', 'a  grandchild'], { stdio: 'inherit' })`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let family: ReturnType<typeof familyOf> = [];
  onTestFinished(() => {
    for (const { pid } of family) process.kill(pid);
  });
  await once(child.stdout, 'data');
  family = familyOf(child.pid!);
  const grandchild = family.find(({ parent }) => parent === child.pid)!;
  expect(family.map(({ pid, parent }) => [pid, parent])).toContainEqual([child.pid, process.pid]);
  expect(family).toHaveLength(2);
  expect(grandchild.command).toContain('a  grandchild');
});
