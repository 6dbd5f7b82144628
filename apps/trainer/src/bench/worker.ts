/**
 * One engine training in one way, in a process of its own: tfjs has one current backend, gradients
 * hold for all of them, and the peak of memory is a process's. It answers each line on stdin by an
 * iteration and a line of JSON on stdout, as test/reference/bench_keras.py does.
 *
 * @module
 */
import { createInterface } from 'node:readline';
import { continueInDeno } from '../engines/deno.ts';
import { NeedsDeno, startEngine } from '../engines/start.ts';
import type { Answer, Greeting, TfjsContestant } from './contestant.ts';
import type { Iterate } from './iterate.ts';

async function prepare(contestant: TfjsContestant): Promise<{ device: string; iterate: Iterate }> {
  const { engine, implementation, preset, batch } = contestant;
  if (implementation === 'plain') {
    const { startPlainEngine } = await import('./plain-engine.ts');
    const { preparePlain } = await import('./plain.ts');
    return { device: await startPlainEngine(engine), iterate: preparePlain(batch) };
  }
  const { prepareOurs } = await import('./ours.ts');
  const { device } = await startEngine(engine, () => {});
  return { device, iterate: prepareOurs(preset, batch) };
}

function say(message: Greeting | Answer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function main(): Promise<void> {
  const { device, iterate } = await prepare(JSON.parse(process.argv[2]!) as TfjsContestant);
  say({ device });
  for await (const _ of createInterface({ input: process.stdin })) {
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    const numbers = await iterate();
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    if (!numbers.every(Number.isFinite)) throw new Error(`a loss is no number: ${numbers}`);
    const cpuSeconds = (user + system) / 1e6;
    say({ seconds, cpuSeconds, peakBytes: process.resourceUsage().maxRSS * 1024 });
  }
  process.exit(0); // Threads of a backend may still be there.
}

try {
  await main();
} catch (error) {
  if (error instanceof NeedsDeno) await continueInDeno(error.deno);
  throw error;
}
