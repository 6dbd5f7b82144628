/**
 * Options and values that several commands have.
 *
 * @module
 */
import { describeWhole, parseWhole } from '@killme/command-line';
import type { Encoding } from '@killme/model';
import { IMAGE_SIZES, type ImageSize } from '@killme/model/training';
import { InvalidArgumentError, Option } from 'commander';
import { imageSizeSchema, seedSchema } from '../run/option-table.ts';

/** A parser of whole numbers from 1 to `most`. */
export function countUpTo(most: number): (text: string) => number {
  return (text) => {
    const range = { least: 1, most };
    const count = parseWhole(text, range);
    if (count !== undefined) return count;
    throw new InvalidArgumentError(`It must be ${describeWhole(range)}.`);
  };
}

/** A parser of batches: half of one is real images, half is fakes. */
export function evenUpTo(most: number): (text: string) => number {
  const parse = countUpTo(most);
  return (text) => {
    const count = parse(text);
    if (count % 2 === 0) return count;
    throw new InvalidArgumentError('It must be an even number: real and fake halves.');
  };
}

/** The most images that a command generates. */
export const MOST_IMAGES = 100_000;

export function parseSeed(text: string): number {
  const seed = seedSchema.safeParse(text);
  if (seed.success) return seed.data;
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${2 ** 32 - 1}.`);
}

/** @param what has that size, in the words of the help. */
export const imageSizeOption = (what: string) =>
  new Option('--image-size <N>', `${what}: ${IMAGE_SIZES.join(', ')}`).argParser(parseImageSize);

function parseImageSize(text: string): ImageSize {
  const size = imageSizeSchema.safeParse(text);
  if (size.success) return size.data;
  throw new InvalidArgumentError(`It must be one of ${IMAGE_SIZES.join(', ')}.`);
}

export const encodingOption = (byDefault: Encoding = 'int8') =>
  new Option('--encoding <NAME>', 'how the generator file stores kernels')
    .choices(['float32', 'float16', 'int8'])
    .default(byDefault);

/** What a generator file says of the images that it makes. */
export const rightsOptions = (byDefault: string) => [
  new Option(
    '--licence <TEXT>',
    `licence of generated images: SPDX, an address, or words; ${byDefault}`,
  ),
  new Option('--credit <TEXT>', `whom generated images have to credit; ${byDefault}`),
];

export const backendOption = () =>
  new Option('--backend <NAME>', 'the engine')
    .choices(['auto', 'tensorflow', 'webgpu', 'wasm'])
    .default('auto');

/** Of commands whose work is a list of tasks. */
export const taskOptions = () => [
  new Option('--plan', 'print the tasks as JSON, and stop'),
  new Option('--task [I]', 'run one task, from 0; without I the number that the scheduler gives'),
  new Option(
    '--shard <I/N>',
    'run every N-th task, beginning with task I; N alone: I is what the scheduler gives',
  ),
];
