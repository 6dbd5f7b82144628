import process from 'node:process';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const LOOK_EVERY_MS = 500;

/**
 * Calls `stop` when the program is to end: at Ctrl-C, at SIGTERM (docker stop, systemd), at SIGHUP
 * (the ssh connection has closed), and when the npm that started it is gone, which a signal to npm
 * alone may leave unsaid. Called again for each further signal.
 * @returns ends the watching.
 */
export function onStop(stop: (reason: NodeJS.Signals | 'parent-gone') => void): () => void {
  for (const signal of SIGNALS) process.on(signal, stop);
  const parent = process.ppid;
  const isOfNpm = process.env.npm_lifecycle_event !== undefined;
  const timer = setInterval(() => {
    if (!isOfNpm || process.ppid === parent) return;
    clearInterval(timer);
    stop('parent-gone');
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    for (const signal of SIGNALS) process.off(signal, stop);
  };
}
