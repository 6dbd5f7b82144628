// @module-tag slow
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SHIPPED_GENERATORS } from '../src/runtimes/named-folder.ts';
import { type Isolate, openIsolate, total } from './isolate.ts';
import { processMemory, type Server, startServer } from './server.ts';

/** Bytes; far more than what else goes on in the isolate. */
const LARGE = 64e6;
const SLACK = 8e6;

let server: Server;
let isolate: Isolate;

beforeAll(async () => {
  server = await startServer(SHIPPED_GENERATORS[0]!.folder);
  isolate = await openIsolate(server.inspectorAddress);
});

afterAll(async () => {
  isolate?.close();
  await server?.stop();
});

const isNear = (bytes: number, expected: number) => Math.abs(bytes - expected) < SLACK;

it('counts array buffers and objects as heap, wasm memories as wasm, and each once', async () => {
  const before = await isolate.readLive();
  const resident = processMemory(server.processId).resident;
  await isolate.evaluate(`globalThis.held = new Uint8Array(${LARGE}).fill(1), 0`);
  const withBuffer = await isolate.readLive();
  expect(isNear(withBuffer.heap - before.heap, LARGE)).toBe(true);
  expect(withBuffer.wasm).toBe(before.wasm);

  const pages = Math.ceil(LARGE / 65536);
  await isolate.evaluate(
    `globalThis.memory = new WebAssembly.Memory({ initial: ${pages} }),
     new Uint8Array(memory.buffer).fill(1), 0`,
  );
  const withMemory = await isolate.readLive();
  expect(withMemory.wasm - before.wasm).toBe(pages * 65536);
  expect(isNear(withMemory.heap - before.heap, LARGE)).toBe(true);

  // Numbers that are no small integers take 8 bytes in an array of theirs.
  await isolate.evaluate(`globalThis.numbers = Array.from({ length: ${LARGE / 8} }, () => 0.5), 0`);
  const withNumbers = await isolate.readLive();
  expect(isNear(withNumbers.heap - before.heap, 2 * LARGE)).toBe(true);

  // The operating system, which knows nothing of V8's books, says the same.
  expect(processMemory(server.processId).resident - resident).toBeGreaterThan(3 * LARGE - SLACK);
});

it('sees what exists only in the middle of a piece of JavaScript', async () => {
  // What a request runs; the debugger cannot stop what the inspector itself evaluates.
  await isolate.evaluate(`globalThis.plainStringify = JSON.stringify, JSON.stringify = function fill(value) {
    const first = new Float32Array(${LARGE / 4});
    const second = first.slice();
    return plainStringify(value) + (second.length > 0 ? ' ' : '');
  }, 0`);
  const before = await isolate.readLive();
  const peak = await isolate.watch(() => fetch(`${server.origin}/healthz`));
  await isolate.evaluate('JSON.stringify = plainStringify, 0');
  expect(isNear(total(peak) - total(before), 2 * LARGE)).toBe(true);
});

it('knows the memories of the generator and of the WebP encoder', async () => {
  const peak = await isolate.watch(async () => {
    for (const path of ['/img?seed=a', '/img?seed=a&format=webp']) {
      expect((await fetch(server.origin + path)).status).toBe(200);
    }
  });
  const { wasm } = await isolate.readLive();
  expect(peak.wasm).toBeGreaterThan(0);
  expect((await isolate.read()).wasm).toBe(wasm);
});
