/**
 * Where the TensorFlow binding lies, found by looking at files only: no native code is loaded, so
 * asking is cheap and cannot crash.
 *
 * @module
 */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const SETUP_COMMAND = 'npm run setup:tensorflow';

/** What `npm run setup:tensorflow` did, kept beside the links that it made. */
export interface SetupRecord {
  /** `2.21.0` */
  tensorflow: string;
  /** The wheel's `tensorflow` folder, with the libraries that the binding loads. */
  libraries: string;
  cuda: boolean;
  /** `linux-x64` */
  platform: string;
}

export type TensorflowSearch =
  | { available: true; binding: string; record: SetupRecord | undefined }
  | { available: false; reason: string; remedy: string };

/** Node-API 8 is what tfjs-node 4.22 is built for: the same file serves every Node since 16. */
const NODE_API = 8;

/** The folder of `@tensorflow/tfjs-node-gpu`, or undefined where the optional package is missing. */
export function packageFolder(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    return dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  } catch {
    return undefined;
  }
}

/** The files inside that folder that setup makes and the engine needs. */
export function bindingFiles(folder: string) {
  return {
    binding: join(folder, 'lib', `napi-v${NODE_API}`, 'tfjs_binding.node'),
    include: join(folder, 'deps', 'include'),
    lib: join(folder, 'deps', 'lib'),
    record: join(folder, 'deps', 'killme-setup.json'),
  };
}

/** The record of the last successful setup; undefined when there is none. */
export function readRecord(path: string): SetupRecord | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as SetupRecord) : undefined;
}

/** Looks for a TensorFlow that {@link startTensorflow} can load, and says what is missing if not. */
export function findTensorflow(): TensorflowSearch {
  const folder = packageFolder();
  if (!folder) {
    return {
      available: false,
      reason: 'the optional package @tensorflow/tfjs-node-gpu is not installed',
      remedy: `npm install --include=optional && ${SETUP_COMMAND}`,
    };
  }
  const missing = (reason: string): TensorflowSearch => ({
    available: false,
    reason,
    remedy: SETUP_COMMAND,
  });
  const files = bindingFiles(folder);
  if (!existsSync(files.binding)) return missing('its native binding is not built');
  // existsSync follows links: it is false when the wheel that they point to was removed.
  if (!existsSync(join(files.lib, 'libtensorflow_framework.so.2'))) {
    return missing('the TensorFlow library that its binding was built for is gone');
  }
  const record = readRecord(files.record);
  const platform = `${process.platform}-${process.arch}`;
  if (record && record.platform !== platform) {
    return missing(`its native binding was built for ${record.platform}, this is ${platform}`);
  }
  return { available: true, binding: files.binding, record };
}
