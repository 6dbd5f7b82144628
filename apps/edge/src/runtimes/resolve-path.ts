import { resolve } from 'node:path';
import process from 'node:process';

/** Where the person stands; npm runs scripts from the workspace's folder. */
export const HERE = process.env.INIT_CWD ?? process.cwd();

/** A path that a person wrote. */
export const resolvePath = (path: string): string => resolve(HERE, path);
