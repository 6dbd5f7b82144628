import { userPath } from '@killme/command-line';
import { Command } from 'commander';
import { type EngineChoice, startEngine } from '../engines/start.ts';
import { COMMITTED_TRACES, checkEngine } from '../verify/check-engine.ts';
import { backendOption } from './arguments.ts';

export function checkEngineCommand(): Command {
  return new Command('check-engine')
    .description(
      'check an engine: its gradients, and the training step against traces of real Keras',
    )
    .addOption(backendOption())
    .option('--trace <DIR...>', 'traces to replay; without it those of test/reference/traces')
    .action(async ({ backend, trace }: { backend: EngineChoice; trace?: string[] }) => {
      await startEngine(backend, console.log);
      const folders = trace?.map(userPath) ?? COMMITTED_TRACES;
      if (!(await checkEngine(folders))) process.exitCode = 1;
    });
}
