/**
 * The trainer as a user runs it: its command line, in a process of its own.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';

const ROOT = resolve(import.meta.dirname, '../..');
const CLI = join(ROOT, 'apps/trainer/src/cli.ts');

/** The folder of a run by name. */
export const runFolder = (name: string) => join(ROOT, 'runs', name);

export interface Outcome {
  status: number | null;
  output: string;
}

export interface RunningTrainer {
  process: ChildProcess;
  outcome: Promise<Outcome>;
}

/** Starts `killme <args>`; stdout and stderr are collected in one text. */
export function startTrainer(...args: string[]): RunningTrainer {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const outcome = once(child, 'close').then(([status]) => ({ status, output }));
  return { process: child, outcome };
}

/** Runs it to its end. */
export function runTrainer(...args: string[]): Promise<Outcome> {
  return startTrainer(...args).outcome;
}

/** Two class folders of plain icons, a coloured disc on a coloured background each. */
export async function writeIcons(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const group = join(folder, i % 2 === 0 ? '01' : '02');
    mkdirSync(group, { recursive: true });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96">
      <rect width="96" height="96" fill="hsl(${i * 40} 60% 80%)"/>
      <circle cx="48" cy="48" r="${20 + (i % 5) * 4}" fill="hsl(${i * 70} 70% 40%)"/></svg>`;
    await sharp(Buffer.from(svg))
      .png()
      .toFile(join(group, `icon_${String(i).padStart(3, '0')}.png`));
  }
}
