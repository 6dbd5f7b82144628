export { startBackend } from '../generator/backend.ts';
export type { BrowserAnswer } from './browser-app.ts';
export { buildBrowserApp } from './build-browser-app.ts';
export { freePort } from './free-port.ts';
export {
  negativeVarianceFiles,
  overflowingGeneratorFiles,
  paddedGeneratorFiles,
} from './hostile-generator.ts';
export { openRandomGenerator } from './open-random-generator.ts';
export { familyOf, listProcesses } from './processes.ts';
export { randomGeneratorFiles } from './random-generator.ts';
