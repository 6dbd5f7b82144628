import process from 'node:process';
import { UserError } from '@killme/model';
import { escapeControls } from './escape-controls.ts';
import { explainFileError } from './explain-file-error.ts';

/** Runs a command; a person's mistake becomes one line and exit status 1. */
export async function runCommand(main: () => Promise<unknown>): Promise<void> {
  watchOutput();
  try {
    await main();
  } catch (error) {
    printRefusal(error);
  }
}

/**
 * One line on the standard error and exit status 1 for what a person can mend.
 * @throws any other error.
 */
export function printRefusal(error: unknown): void {
  const explained = explainFileError(error);
  if (!(explained instanceof UserError)) throw error;
  console.error(`error: ${escapeControls(explained.message)}`);
  process.exitCode = 1;
}

/**
 * What is printed into a file on a full disk is lost without a word from `console.log`. That a reader
 * has gone (`| head`) is no mistake.
 */
function watchOutput(): void {
  let isSaid = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || isSaid) return;
    isSaid = true;
    printRefusal(explainFileError(error, 'the standard output', 'written'));
  });
}
