import protobuf from 'protobufjs';

/**
 * The part of ONNX's protobuf schema that a network needs, with its field numbers
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 */
const SCHEMA = `
syntax = "proto3";
message ModelProto {
  int64 ir_version = 1;
  string producer_name = 2;
  string producer_version = 3;
  GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message GraphProto {
  repeated NodeProto node = 1;
  string name = 2;
  repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  string name = 3;
  string op_type = 4;
  repeated AttributeProto attribute = 5;
}
message AttributeProto {
  string name = 1;
  float f = 2;
  int64 i = 3;
  bytes s = 4;
  TensorProto t = 5;
  repeated float floats = 7;
  repeated int64 ints = 8;
  int32 type = 20;
}
message TensorProto {
  repeated int64 dims = 1;
  int32 data_type = 2;
  repeated float float_data = 4;
  repeated int32 int32_data = 5;
  repeated int64 int64_data = 7;
  string name = 8;
  bytes raw_data = 9;
  repeated double double_data = 10;
  repeated StringStringEntryProto external_data = 13;
  int32 data_location = 14;
}
message StringStringEntryProto { string key = 1; string value = 2; }
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message TypeProto { TensorTypeProto tensor_type = 1; }
message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TensorShapeProto { repeated DimensionProto dim = 1; }
message DimensionProto { int64 dim_value = 1; string dim_param = 2; }
`;

export const DATA_TYPES = { float32: 1, int64: 7 } as const;
export const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const;

export interface Node {
  input: string[];
  output: string[];
  name: string;
  op_type: string;
  attribute: Attribute[];
}

export interface Attribute {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  ints?: readonly number[];
}

export interface Tensor {
  name: string;
  dims: readonly number[];
  data_type: number;
  raw_data: Uint8Array;
}

/** A tensor that goes in or out; a dimension of any size has a name. */
export interface Value {
  name: string;
  shape: readonly (number | string)[];
}

/** Names stay as ONNX writes them. */
export const modelType = () =>
  protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('ModelProto');

/** The bytes of a model. */
export function encodeModel(
  graph: { name: string; nodes: Node[]; initializers: Tensor[]; input: Value; output: Value },
  versions: { ir: number; opset: number },
): Uint8Array {
  return modelType()
    .encode({
      ir_version: versions.ir,
      producer_name: 'killme',
      opset_import: [{ domain: '', version: versions.opset }],
      graph: {
        name: graph.name,
        node: graph.nodes,
        initializer: graph.initializers,
        input: [valueInfo(graph.input)],
        output: [valueInfo(graph.output)],
      },
    })
    .finish();
}

function valueInfo({ name, shape }: Value) {
  const dim = shape.map((size) =>
    typeof size === 'string' ? { dim_param: size } : { dim_value: size },
  );
  return { name, type: { tensor_type: { elem_type: DATA_TYPES.float32, shape: { dim } } } };
}
