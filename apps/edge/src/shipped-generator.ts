import { fileURLToPath } from 'node:url';

/** The folder of the generator that comes with the repository. */
export const SHIPPED_GENERATOR = fileURLToPath(new URL('../generators/lite', import.meta.url));
