/**
 * The engine on wasm, the default: the server's own backend, so the server's own bytes.
 *
 * @module
 */
import { openGenerator } from '../generator/generator.ts';
import { read, readGeneratorFile, serveRequests } from './serve-requests.ts';

await serveRequests(
  openGenerator({
    readFile: readGeneratorFile,
    loadBinaries: async () => {
      const [tfjs, kernels] = await Promise.all(['engine.wasm', 'kernels.wasm'].map(compile));
      return { tfjs: tfjs!, kernels: kernels! };
    },
  }),
);

async function compile(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await read(name));
}
