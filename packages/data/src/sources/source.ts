/** A file as a folder or an archive lists it, before it is read. */
export interface SourceFile {
  /** Relative to the root, `/` between its parts. */
  path: string;
  /** Bytes when unpacked. */
  size: number;
  /** Why it cannot hold an image, known from the listing alone. */
  fault?: string;
  /** A fault that may hide images whatever the name ends with, as of a folder. */
  mayHoldImages?: boolean;
}

/** A folder, `.zip` or `.rar` as one flat list of files. */
export interface Source {
  files: readonly SourceFile[];
  /** The wanted files, each once, in the order that is cheapest for the source. */
  read(paths: readonly string[]): AsyncIterable<{ path: string; bytes(): Promise<Uint8Array> }>;
  close(): Promise<void>;
}
