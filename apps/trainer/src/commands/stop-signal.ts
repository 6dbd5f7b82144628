import { onStop } from '@killme/command-line';

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
