/**
 * ONNX files as plain objects.
 *
 * @module
 */
import { z } from 'zod';
import { float16Table } from '../float16.ts';
import { product } from '../networks/layers.ts';
import { UserError } from '../user-error.ts';
import { modelType } from './messages.ts';

/** Numbers of a file: a weight, a shape, a scale. */
export interface Constant {
  dims: readonly number[];
  values: Float32Array | readonly number[];
}

export interface OnnxNode {
  operator: string;
  name: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxAttribute {
  f: number;
  i: number;
  text: string;
  ints: readonly number[];
  tensor: Constant | undefined;
}

export interface OnnxValue {
  name: string;
  /** With the batch axis, which is 1 where it is open. */
  dims: readonly number[];
  integer: boolean;
}

export interface OnnxModel {
  /** The program that wrote it. */
  producer: string;
  opset: number;
  nodes: readonly OnnxNode[];
  constants: ReadonlyMap<string, Constant>;
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
}

const bytes = z.instanceof(Uint8Array);
const longs = z.array(z.number()).default([]);

const tensorSchema = z.looseObject({
  dims: longs,
  data_type: z.number(),
  name: z.string().default(''),
  raw_data: bytes.optional(),
  float_data: longs,
  int32_data: longs,
  int64_data: longs,
  double_data: longs,
  external_data: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
  data_location: z.number().default(0),
});
type StoredTensor = z.infer<typeof tensorSchema>;

const valueSchema = z.looseObject({
  name: z.string(),
  type: z
    .looseObject({
      tensor_type: z
        .looseObject({
          elem_type: z.number().default(1),
          shape: z
            .looseObject({
              dim: z.array(z.looseObject({ dim_value: z.number().optional() })).default([]),
            })
            .default({ dim: [] }),
        })
        .optional(),
    })
    .optional(),
});

const modelSchema = z.looseObject({
  producer_name: z.string().default(''),
  producer_version: z.string().default(''),
  opset_import: z
    .array(z.looseObject({ domain: z.string().default(''), version: z.number() }))
    .default([]),
  graph: z.looseObject({
    node: z.array(
      z.looseObject({
        op_type: z.string(),
        name: z.string().default(''),
        input: z.array(z.string()).default([]),
        output: z.array(z.string()).default([]),
        attribute: z
          .array(
            z.looseObject({
              name: z.string(),
              f: z.number().default(0),
              i: z.number().default(0),
              s: bytes.optional(),
              ints: longs,
              t: tensorSchema.optional(),
            }),
          )
          .default([]),
      }),
    ),
    initializer: z.array(tensorSchema).default([]),
    input: z.array(valueSchema).default([]),
    output: z.array(valueSchema).default([]),
  }),
});

/** Gives the bytes of a file beside the model: `torch.onnx.export` keeps large weights in one. */
export type ReadBeside = (name: string) => Promise<Uint8Array>;

/**
 * @param file what the file is called in messages.
 * @throws UserError when it is damaged, or no ONNX model.
 */
export async function openOnnx(
  data: Uint8Array,
  file: string,
  readBeside: ReadBeside,
): Promise<OnnxModel> {
  const { graph, ...model } = decode(data, file);
  const constants = new Map<string, Constant>();
  const beside = new Map<string, Uint8Array>();
  for (const tensor of graph.initializer) {
    const location = tensor.external_data.find(({ key }) => key === 'location')?.value;
    if (location !== undefined && !beside.has(location)) {
      beside.set(location, await readBeside(location));
    }
    constants.set(tensor.name, constantOf(tensor, file, beside.get(location ?? '')));
  }
  const opset = model.opset_import.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  return {
    producer: `${model.producer_name} ${model.producer_version}`.trim(),
    opset: opset?.version ?? 0,
    nodes: graph.node.map((node) => ({
      ...{ operator: node.op_type, name: node.name, inputs: node.input, outputs: node.output },
      attributes: new Map(
        node.attribute.map(({ name, f, i, s, ints, t }) => [
          name,
          {
            ...{ f, i, ints, text: s ? new TextDecoder().decode(s) : '' },
            tensor: t && constantOf(t, file, undefined),
          },
        ]),
      ),
    })),
    constants,
    inputs: graph.input.map(inputOrOutput).filter(({ name }) => !constants.has(name)),
    outputs: graph.output.map(inputOrOutput),
  };
}

function decode(data: Uint8Array, file: string) {
  let model: unknown;
  try {
    const type = modelType();
    model = type.toObject(type.decode(data), { longs: Number });
  } catch {
    throw new UserError(`${file} is damaged, or no ONNX model: export it again`);
  }
  const parsed = modelSchema.safeParse(model);
  if (parsed.success) return parsed.data;
  throw new UserError(`${file} is no ONNX model: ${parsed.error.issues[0]!.path.join('.')}`);
}

const INTEGERS = new Set([2, 3, 4, 5, 6, 7, 9, 12, 13]);

function inputOrOutput({ name, type }: z.infer<typeof valueSchema>): OnnxValue {
  const tensor = type?.tensor_type;
  const dims = tensor?.shape.dim.map(({ dim_value }) => dim_value || 1) ?? [];
  return { name, dims, integer: INTEGERS.has(tensor?.elem_type ?? 1) };
}

/** Numbers of ONNX's data types: 1 float, 10 float16, 16 bfloat16, 11 double, 6 int32, 7 int64. */
function constantOf(tensor: StoredTensor, file: string, outside: Uint8Array | undefined): Constant {
  const { dims, data_type: type } = tensor;
  const values = rawNumbers(tensor, outside) ?? [
    ...(type === 10 ? tensor.int32_data.map((bits) => float16Table()[bits]!) : tensor.int32_data),
    ...tensor.float_data,
    ...tensor.int64_data,
    ...tensor.double_data,
  ];
  if (values.length !== product(dims)) {
    throw new UserError(`${file}: the tensor ${tensor.name} is damaged or of an unknown type`);
  }
  return { dims, values };
}

function rawNumbers(
  { raw_data, data_type: type, external_data }: StoredTensor,
  outside: Uint8Array | undefined,
): Float32Array | number[] | undefined {
  const entry = (key: string) => external_data.find((field) => field.key === key)?.value;
  const offset = Number(entry('offset') ?? 0);
  const length = entry('length');
  const raw = outside
    ? outside.subarray(offset, length === undefined ? undefined : offset + Number(length))
    : raw_data;
  if (!raw || raw.length === 0) return undefined;
  const { buffer } = Uint8Array.from(raw); // aligned
  switch (type) {
    case 1:
      return new Float32Array(buffer);
    case 6:
      return [...new Int32Array(buffer)];
    case 7:
      return [...new BigInt64Array(buffer)].map(Number);
    case 10:
      return Float32Array.from(new Uint16Array(buffer), (bits) => float16Table()[bits]!);
    case 11:
      return Float32Array.from(new Float64Array(buffer));
    case 16:
      return new Float32Array(
        Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer,
      );
    default:
      return undefined;
  }
}
