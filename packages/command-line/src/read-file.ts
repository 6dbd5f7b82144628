import { readFile } from 'node:fs/promises';
import { UserError } from '@killme/model';
import { errorCode } from './error-code.ts';
import { explainFileError } from './explain-file-error.ts';

/**
 * The bytes of a file that a person has named.
 * @param label the option that named it: `--config`
 * @throws UserError in one line for what the file system refuses.
 */
export async function readNamedFile(
  path: string,
  label?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const named = label === undefined ? path : `${label} ${path}`;
  try {
    const bytes = await readFile(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') throw new UserError(`there is no file ${named}`);
    if (code === 'EISDIR') throw new UserError(`${named} is a folder: name a file in it`);
    throw explainFileError(error, named, 'read');
  }
}

/** The same as UTF-8 text. */
export async function readNamedText(path: string, label?: string): Promise<string> {
  return new TextDecoder().decode(await readNamedFile(path, label));
}

/**
 * The same as JSON.
 * @throws UserError too when it is none, with the place where it ends to be.
 */
export async function readNamedJson(path: string, label?: string): Promise<unknown> {
  const text = await readNamedText(path, label);
  try {
    return JSON.parse(text);
  } catch (error) {
    const named = label === undefined ? path : `${label} ${path}`;
    throw new UserError(`${named} is no JSON: ${(error as Error).message}`);
  }
}
