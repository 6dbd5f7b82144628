import { onStop } from '@killme/command-line';

/** As a shell has it after SIGTERM: a scheduler must not take what was stopped for done. */
export const STOPPED = 143;

/** Aborts at the first Ctrl-C, so that the loop ends with a checkpoint; a second one ends at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    console.log('stopping after this iteration (once more to stop at once)');
    controller.abort();
  };
  onStop(stop);
  // The reader of the output has gone (`| head`): stop with a checkpoint.
  process.stdout.on('error', () => controller.abort());
  return controller.signal;
}
