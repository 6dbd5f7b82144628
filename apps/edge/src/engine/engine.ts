/**
 * The engine on wasm, the default: the server's own backend, so the server's own bytes.
 *
 * @module
 */
import { openGenerator } from '../generator.ts';
import { read, readGeneratorFile, takeOrders } from './orders.ts';

await takeOrders(
  openGenerator({
    readFile: readGeneratorFile,
    loadBinary: async () => WebAssembly.compile(await read('engine.wasm')),
  }),
);
