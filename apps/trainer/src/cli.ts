import { escapeControls, explainFileError } from '@killme/command-line';
import { UserError } from '@killme/model';
import { createProgram } from './commands/program.ts';
import { continueInDeno, inDeno } from './engines/deno.ts';
import { NeedsDeno } from './engines/start.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof NeedsDeno) await continueInDeno(error.deno);
  const explained = explainFileError(error);
  if (!(explained instanceof UserError)) throw error;
  console.error(`error: ${escapeControls(explained.message)}`);
  process.exitCode = 1;
  if (inDeno) process.exit(); // a GPU that does not answer would keep the process
}
