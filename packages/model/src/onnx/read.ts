/**
 * Generators in ONNX files: PyTorch's `torch.onnx.export`, tf2onnx, and others.
 *
 * Images are channels first in ONNX, and channels last here: see Tensor in values.ts.
 *
 * @module
 */
import { type GeneratorInput, inputSize, splitLatent } from '../networks/conditional.ts';
import { finishGenerator, type ImportedGenerator } from '../networks/imported.ts';
import { product } from '../networks/layers.ts';
import { NetworkBuilder } from '../networks/network-builder.ts';
import { UserError } from '../user-error.ts';
import { type OnnxModel, type OnnxNode, openOnnx, type ReadBeside } from './model.ts';
import { OPERATORS } from './operators/index.ts';
import { fromLayout, isTensor, type Tensor, toLayout, type Value } from './values.ts';

/** What is read: opsets of 2021 and later; what older ones say otherwise is refused where it occurs. */
const OPSETS = [13, 25] as const;

export interface OnnxOptions {
  /** What the file is called in messages. */
  file: string;
  readBeside: ReadBeside;
  /** The output to take, where there are several. */
  output?: string | undefined;
}

/** @throws UserError in one line: what is wrong, and in which nodes. */
export async function readOnnxGenerator(
  bytes: Uint8Array,
  { file, readBeside, output }: OnnxOptions,
): Promise<ImportedGenerator> {
  const model = await openOnnx(bytes, file, readBeside);
  if (model.opset < OPSETS[0]) {
    throw new UserError(
      `${file} is of opset ${model.opset}: export it with opset_version=${OPSETS[0]} or more`,
    );
  }
  const inputs = generatorInputs(model, file);
  const builder = new NetworkBuilder(inputs.reduce((sum, input) => sum + inputSize(input), 0));
  const values = new Map<string, Value>(model.constants);
  const split = splitLatent(
    builder,
    inputs.map((input) =>
      input.kind === 'latent' ? { ...input, shape: [product(input.shape)] } : input,
    ),
  );
  model.inputs.forEach(({ name }, i) => {
    const { kind, shape } = inputs[i]!;
    const value = split[i]!;
    // A class is the place of the one that is 1.
    values.set(
      name,
      kind === 'latent'
        ? toLayout(builder, value, shape)
        : { output: value, dims: kind === 'index' ? value.shape : shape },
    );
  });
  runNodes({ model, builder, values, file });
  return finishGenerator(builder, {
    ...{ file, inputs, output },
    framework: `ONNX opset ${model.opset}${model.producer ? ` by ${model.producer}` : ''}`,
    outputs: model.outputs.map(({ name }) => {
      const value = values.get(name);
      if (!value || !isTensor(value)) throw new UserError(`${file}: ${name} is no output`);
      return { name, output: isChannelsFirst(value) ? value.output : fromLayout(builder, value) };
    }),
  });
}

/** Images are stored here with channels last; some programs make them so in ONNX too. */
const isChannelsFirst = ({ dims }: Tensor): boolean => {
  const channels = (axis: number) => [1, 3, 4].includes(dims[axis]!);
  return dims.length === 3 && (channels(0) || !channels(2));
};

function runNodes({
  model,
  builder,
  values,
  file,
}: {
  model: OnnxModel;
  builder: NetworkBuilder;
  values: Map<string, Value>;
  file: string;
}): void {
  const batch = model.inputs[0]?.dims[0] ?? 1;
  const unknown = model.nodes.filter(({ operator }) => !OPERATORS[operator]);
  if (unknown.length > 0) {
    const names = unknown.map(({ name, operator }) => `${name || 'a node'} (${operator})`);
    throw new UserError(`${file} has operators that are not known here: ${names.join('; ')}`);
  }
  for (const node of model.nodes) {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : values.get(name)));
    const missing = node.inputs.find((name) => name !== '' && !values.has(name));
    if (missing !== undefined) throw new UserError(`${file}: ${missing} is missing`);
    try {
      const reading = { builder, node, inputs, batch, opset: model.opset };
      const made = OPERATORS[node.operator]!(reading);
      values.set(node.outputs[0]!, made);
    } catch (error) {
      throw new UserError(`${file}: ${describe(node)}: ${(error as Error).message}`);
    }
  }
}

const describe = ({ name, operator, outputs }: OnnxNode) => `${name || outputs[0]} (${operator})`;

/** Which inputs are latents, and which says the class. */
function generatorInputs({ inputs, nodes, constants }: OnnxModel, file: string): GeneratorInput[] {
  if (inputs.length === 0) throw new UserError(`${file} has no input`);
  return inputs.map(({ name, dims, integer }): GeneratorInput => {
    const shape = dims.slice(1);
    if (shape.length === 3 && product(shape) !== shape[0]) {
      throw new UserError(
        `${file} takes [${dims.join(', ')}], not a latent vector: is it a discriminator?`,
      );
    }
    if (!integer) {
      const labelled = inputs.length > 1 && /label|class|cond|digit|onehot|one_hot/i.test(name);
      if (labelled) return { kind: 'oneHot', shape, classes: product(shape) };
      return { kind: 'latent', shape };
    }
    const reader = nodes.find((node) => node.operator === 'Gather' && node.inputs[1] === name);
    const classes = constants.get(reader?.inputs[0] ?? '')?.dims[0];
    if (classes === undefined) {
      throw new UserError(
        `${file}: no Embedding reads the input ${name}, so its classes are unknown`,
      );
    }
    return { kind: 'index', shape, classes };
  });
}
