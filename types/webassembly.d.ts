/** The part of the WebAssembly API used here: neither TypeScript's es2024 nor Node's types have it. */
declare namespace WebAssembly {
  type Module = object;
  interface Memory {
    /** A SharedArrayBuffer where threads share it. */
    readonly buffer: ArrayBufferLike;
  }
  interface Instance {
    readonly exports: object;
  }
  type Imports = Record<string, Record<string, object>>;
  const Memory: new (descriptor: { initial: number }) => Memory;
  const Instance: new (module: Module, imports: Imports) => Instance;
  function compile(bytes: Uint8Array): Promise<Module>;
}
