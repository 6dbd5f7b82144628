import { printRefusal, runCommand } from '@killme/command-line';
import { createProgram } from './commands/program.ts';
import { continueInDeno, inDeno } from './engines/deno.ts';
import { NeedsDeno } from './engines/start.ts';

await runCommand(async () => {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (error instanceof NeedsDeno) await continueInDeno(error.deno);
    printRefusal(error);
    if (inDeno) process.exit(); // a GPU that does not answer would keep the process
  }
});
