export * from './discriminator.ts';
export * from './generator.ts';
export * from './layers.ts';
export * from './network.ts';
export * from './random.ts';
export * from './user-error.ts';
