/**
 * onnxruntime's native build, installed when it is first asked for: its 290 MB are of no use to
 * anything but this comparison.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type * as OnnxRuntime from 'onnxruntime-web';

/** The version that onnxruntime-web has here. */
const VERSION = '1.30.0';

const FOLDER = fileURLToPath(new URL('../dist/onnxruntime-native/', import.meta.url));

/** @returns onnxruntime-node, or undefined (with a line on stderr) where it cannot be installed. */
export async function nativeOnnxRuntime(): Promise<typeof OnnxRuntime | undefined> {
  try {
    if (!existsSync(`${FOLDER}/node_modules/onnxruntime-node`)) await install();
    // Its interface is onnxruntime-common's, which is onnxruntime-web's too.
    return createRequire(FOLDER)('onnxruntime-node') as typeof OnnxRuntime;
  } catch (error) {
    const [reason] = String(error).split('\n');
    console.error(`onnxruntime-node ${VERSION} is omitted: ${reason}`);
    return undefined;
  }
}

async function install(): Promise<void> {
  console.error(`installing onnxruntime-node ${VERSION} (290 MB, once) into ${FOLDER}`);
  await mkdir(FOLDER, { recursive: true });
  await writeFile(`${FOLDER}/package.json`, '{ "private": true }\n');
  // Its install script would only look for CUDA.
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
  await promisify(execFile)('npm', ['install', ...options, `onnxruntime-node@${VERSION}`], {
    cwd: FOLDER,
  });
}
