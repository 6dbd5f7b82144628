export type { BrowserAnswer } from './browser-app.ts';
export { buildBrowserApp } from './build-browser-app.ts';
export { randomGeneratorFiles } from './random-generator.ts';
