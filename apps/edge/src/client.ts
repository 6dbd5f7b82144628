/**
 * The client that others get as `@killme/client`, from its source: the exports of that package are built files.
 *
 * @module
 */
export * from '../../../packages/client/src/index.ts';
