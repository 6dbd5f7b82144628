/**
 * What goes wrong on the device. WebGPU tells nobody of it by itself (memory, a lost GPU), and training would go on
 * with zeros.
 *
 * @module
 */
import { UserError } from '@killme/model';
import type { WebGPUBackend } from './program.ts';

/** Seconds that a GPU may take for an answer: the trainer gives it half a second of work at a time. */
const GPU_SECONDS = 120;

/** A lost device is known only a moment after its reads have failed. */
const LOSS_MS = 200;

/** Environment variable that sets another limit, in seconds. */
const LIMIT_VARIABLE = 'KILLME_GPU_TIMEOUT';

const SMALLER = 'give a smaller --batch, or another --backend';
const GO_ON = `the last checkpoint is kept, go on by --resume; if it happens again ${SMALLER}`;

/** Says what has gone wrong on a device. */
export interface Failures {
  /** @throws UserError where something has gone wrong: one line with the cause, and what to do. */
  check(): void;
  /** Waits for a read of the device. @throws UserError as {@link Failures.check} does. */
  read<Result>(reading: Promise<Result>): Promise<Result>;
}

/**
 * Watches the device of a backend, whose reads of tensors then throw what has gone wrong.
 * @param software a software adapter may take as long as it likes.
 */
export function watchFailures(
  backend: WebGPUBackend,
  { software }: { software: boolean },
): Failures {
  const { device } = backend;
  let failure: string | undefined;
  device.addEventListener('uncapturederror', (event) => {
    failure ??= describe((event as GPUUncapturedErrorEvent).error);
  });
  const lost = device.lost.then(({ message }) => {
    failure = `the GPU was lost: ${oneLine(message)}: ${GO_ON}`;
  });
  const check = () => {
    if (failure !== undefined) throw new UserError(failure);
  };
  const limit = Number(process.env[LIMIT_VARIABLE]) || (software ? undefined : GPU_SECONDS);
  const failures: Failures = {
    check,
    async read(reading) {
      try {
        const result = await (limit ? withinSeconds(limit, reading) : reading);
        check();
        return result;
      } catch (error) {
        await Promise.race([lost, new Promise((resolve) => setTimeout(resolve, LOSS_MS))]);
        check();
        if (error instanceof UserError) throw error;
        throw new UserError(`the GPU failed: ${oneLine((error as Error).message)}: ${GO_ON}`);
      }
    },
  };
  const read = backend.read.bind(backend);
  backend.read = (dataId) => failures.read(read(dataId));
  return failures;
}

function describe(error: GPUError): string {
  const message = oneLine(error.message);
  if (error instanceof GPUOutOfMemoryError) {
    return `the GPU has too little memory (${message}): ${SMALLER}`;
  }
  return `the GPU failed: ${message}: ${SMALLER}`;
}

const oneLine = (text: string) => text.trim().replaceAll(/\s*\n\s*/g, '; ') || 'no reason given';

/** @throws UserError when there is no answer in time. */
async function withinSeconds<Result>(limit: number, answer: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const what = `the GPU has not answered for ${limit} s: its driver hangs, or others keep it busy`;
    late.reject(new UserError(`${what} (${LIMIT_VARIABLE} sets the limit): ${GO_ON}`));
  }, limit * 1000);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Refuses work that the adapter cannot bind, before any of it is done.
 * @param sizes in bytes, of parts of buffers that a shader is given whole.
 * @throws UserError
 */
export function checkBindings({ limits }: GPUDevice, sizes: Iterable<number>): void {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  let largest = 0;
  for (const size of sizes) largest = Math.max(largest, size);
  if (largest <= most) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new UserError(
    `this GPU takes buffers of ${megabytes(most)} at most, a step needs one of ${megabytes(largest)}: ` +
      `give a --batch of at most ${(most / largest).toFixed(2)} times this one, or another --backend`,
  );
}
