/**
 * What is common to generators from files of other programs.
 *
 * @module
 */
import type { Channels, ValueRange } from '../image.ts';
import { UserError } from '../user-error.ts';
import type { GeneratorInput } from './conditional.ts';
import { type Activation, type Layer, product } from './layers.ts';
import type { Network } from './network.ts';
import type { NetworkBuilder, Output } from './network-builder.ts';

/** A generator out of a file of another program. */
export interface ImportedGenerator {
  network: Network;
  weights: Map<string, Float32Array>;
  /** What black and white are in its images; undefined when its last layer has no bounds. */
  range: ValueRange | undefined;
  /** Classes that its latents say in their last components; 0 when it is not conditional. */
  classes: number;
  /** Of the inputs of the file in their order, for those who compare with the original. */
  inputs: readonly GeneratorInput[];
  /** The program that wrote the file, and its version where the file says. */
  framework: string;
  /** The output that is taken, by its name in the file. */
  output: string;
  /** What a person should know about it, a line each. */
  notes: string[];
}

/** What a reader has found. */
export interface FoundGenerator {
  /** What the file is called in messages. */
  file: string;
  framework: string;
  inputs: readonly GeneratorInput[];
  outputs: readonly { name: string; output: Output }[];
  /** The output to take, where there are several. */
  output?: string | undefined;
  /** Containers that it is made of; those of a whole GAN are G and D. */
  parts?: readonly string[];
}

/** @throws UserError when no output makes images. */
export function finishGenerator(builder: NetworkBuilder, found: FoundGenerator): ImportedGenerator {
  const { file, framework, inputs } = found;
  const notes: string[] = [];
  const chosen = chooseOutput(found, notes);
  const output = asImages(builder, chosen.output, found, notes);
  const label = inputs.find(({ kind }) => kind !== 'latent');
  return {
    ...builder.finish(output, file),
    range: boundsOf(builder, output),
    classes: label && label.kind !== 'latent' ? label.classes : 0,
    ...{ inputs, framework, output: chosen.name, notes },
  };
}

/** The named output, or the largest images. */
function chooseOutput({ file, outputs, output }: FoundGenerator, notes: string[]) {
  const names = outputs.map(({ name, output: { shape } }) => `${name} [${shape.join(', ')}]`);
  if (output !== undefined) {
    const named = outputs.find(({ name }) => name === output);
    if (named) return named;
    throw new UserError(`--output: ${file} has no output "${output}", only ${names.join(', ')}`);
  }
  const [largest] = outputs
    .filter((candidate) => outputs.length === 1 || channelsOf(candidate.output.shape))
    .toSorted((a, b) => product(b.output.shape) - product(a.output.shape));
  if (!largest) throw new UserError(`${file} makes no images: its outputs are ${names.join(', ')}`);
  if (outputs.length > 1) {
    notes.push(`${file} has the outputs ${names.join(', ')}: ${largest.name} is taken (--output)`);
  }
  return largest;
}

/** Grey without an axis for it gets one; flat numbers that make a square become it. */
function asImages(
  builder: NetworkBuilder,
  output: Output,
  { file, parts = [] }: FoundGenerator,
  notes: string[],
): Output {
  const { shape } = output;
  if (channelsOf(shape)) return output;
  if (shape.length === 2) return builder.reshape(output, [...shape, 1]);
  const [numbers] = shape;
  for (const channels of shape.length === 1 ? [1, 3] : []) {
    const side = Math.sqrt(numbers! / channels);
    if (side >= 8 && Number.isInteger(side)) {
      notes.push(`${file} makes ${numbers} numbers: taken as ${side}×${side}×${channels}`);
      return builder.reshape(output, [side, side, channels]);
    }
  }
  if (parts.length > 1) {
    throw new UserError(
      `${file} holds a whole GAN (${parts.join(', then ')}) and gives [${shape.join(', ')}]: ` +
        'take its generator with --part generator',
    );
  }
  throw new UserError(
    `${file} makes [${shape.join(', ')}], not images [height, width, 1, 3 or 4 channels]`,
  );
}

function channelsOf(shape: readonly number[]): Channels | undefined {
  const channels = shape[2];
  if (shape.length !== 3 || shape[0]! < 2) return undefined;
  return channels === 1 || channels === 3 || channels === 4 ? channels : undefined;
}

const ACTIVATION_BOUNDS: Partial<Record<Activation, ValueRange>> = {
  tanh: [-1, 1],
  sigmoid: [0, 1],
};

/** What the last layers let an output be. */
function boundsOf(builder: NetworkBuilder, output: Output): ValueRange | undefined {
  const made = builder.madeBy(output);
  if (!made) return undefined;
  const { layer, input } = made;
  const scaled = (scale: number, offset: number): ValueRange | undefined => {
    const bounds = boundsOf(builder, input);
    const ends = bounds?.map((end) => end * scale + offset).toSorted((a, b) => a - b);
    return ends && [ends[0]!, ends[1]!];
  };
  if (PASSING.has(layer.type)) return boundsOf(builder, input);
  switch (layer.type) {
    case 'dense':
    case 'activation':
      return layer.activation && ACTIVATION_BOUNDS[layer.activation];
    case 'rescaling':
      return scaled(layer.scale, layer.offset);
    case 'elementwise':
      if (layer.function === 'hardSigmoid') return [0, 1];
      if (layer.function === 'softsign') return [-1, 1];
      return layer.function === 'clip' ? [layer.low, layer.high] : undefined;
    default:
      return undefined;
  }
}

/** Layers behind which numbers are the same, or between others. */
const PASSING = new Set<Layer['type']>([
  ...(['reshape', 'flatten', 'permute', 'cropping2d', 'upSampling2d', 'dropout'] as const),
  'resize',
]);
