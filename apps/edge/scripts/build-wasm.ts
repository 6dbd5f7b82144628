/**
 * Writes the wasm modules that the Worker is bundled with, starting small (see initial-memory.ts).
 *
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { writeFileWhole } from '@killme/command-line';
import { readSmall, TFJS_BINARY, WEBP_BINARY } from '../src/runtimes/disk.ts';

/** Where worker.ts finds them. */
const FOLDER = fileURLToPath(new URL('../dist/wasm', import.meta.url));

/** Writes tfjs.wasm and webp.wasm; two that do so at a time do no harm. */
export async function buildWasm(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeSmall(TFJS_BINARY, 'tfjs.wasm');
  await writeSmall(WEBP_BINARY, 'webp.wasm');
}

const writeSmall = async (address: string, name: string): Promise<void> =>
  writeFileWhole(`${FOLDER}/${name}`, await readSmall(address));
