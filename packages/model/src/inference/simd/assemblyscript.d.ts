/** The part of the AssemblyScript compiler that build.ts uses. */
declare module 'assemblyscript/asc' {
  interface Host {
    readFile(name: string): string | null;
    writeFile(name: string, contents: Uint8Array | string): void;
    listFiles(): string[];
  }
  export function main(
    options: string[],
    host: Host,
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>;
}
