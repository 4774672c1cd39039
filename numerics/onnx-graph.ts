/**
 * Writes small ONNX graphs: the few messages of onnx.proto3 that a graph of two or three nodes needs, encoded by
 * hand (protobuf wire format; field numbers from https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 */

export interface GraphNode {
  operator: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** Integers and lists of them: that is all the operators in use need. */
  attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A float32 tensor; a name stands for a dimension that is known only when the graph runs. */
export interface GraphTensor {
  name: string;
  shape: readonly (number | string)[];
}

/** A tensor whose values are in the file. */
export interface GraphConstant {
  name: string;
  shape: readonly number[];
  data: Float32Array | BigInt64Array;
}

export interface Graph {
  name: string;
  constants?: readonly GraphConstant[];
  nodes: readonly GraphNode[];
  inputs: readonly GraphTensor[];
  outputs: readonly GraphTensor[];
}

/** ONNX release 1.8: every onnxruntime of the last years reads it. */
const irVersion = 7;
const operatorSet = 13;
/** TensorProto.DataType.FLOAT. */
const float = 1;
const int64 = 7;
/** AttributeProto.AttributeType.INT and INTS. */
const int = 2;
const ints = 7;

/** Bytes of a ModelProto with the graph. */
export function encodeModel(graph: Graph): Uint8Array {
  return Buffer.concat([
    integer(1, irVersion), // ModelProto.ir_version
    message(8, [text(1, ''), integer(2, operatorSet)]), // .opset_import: OperatorSetIdProto domain, version
    message(7, [
      ...graph.nodes.map((node) => message(1, encodeNode(node))), // GraphProto.node
      text(2, graph.name), // .name
      ...(graph.constants ?? []).map((constant) => message(5, encodeConstant(constant))), // .initializer
      ...graph.inputs.map((tensor) => message(11, encodeTensor(tensor))), // .input
      ...graph.outputs.map((tensor) => message(12, encodeTensor(tensor))), // .output
    ]),
  ]);
}

function encodeNode(node: GraphNode): Buffer[] {
  return [
    ...node.inputs.map((name) => text(1, name)), // NodeProto.input
    ...node.outputs.map((name) => text(2, name)), // .output
    text(4, node.operator), // .op_type
    // .attribute: AttributeProto name, type, i or ints
    ...Object.entries(node.attributes ?? {}).map(([name, value]) =>
      message(
        5,
        typeof value === 'number'
          ? [text(1, name), integer(20, int), integer(3, value)]
          : [text(1, name), integer(20, ints), ...value.map((item) => integer(8, item))],
      ),
    ),
  ];
}

function encodeConstant({ name, shape, data }: GraphConstant): Buffer[] {
  return [
    ...shape.map((size) => integer(1, size)), // TensorProto.dims
    integer(2, data instanceof Float32Array ? float : int64), // .data_type
    text(8, name), // .name
    message(9, [Buffer.from(data.buffer, data.byteOffset, data.byteLength)]), // .raw_data: little-endian
  ];
}

function encodeTensor(tensor: GraphTensor): Buffer[] {
  // TensorShapeProto.dim: Dimension dim_value or dim_param
  const shape = tensor.shape.map((size) =>
    message(1, [typeof size === 'number' ? integer(1, size) : text(2, size)]),
  );
  return [
    text(1, tensor.name), // ValueInfoProto.name
    message(2, [message(1, [integer(1, float), message(2, shape)])]), // .type: TypeProto.tensor_type: elem_type, shape
  ];
}

/** An unsigned number in groups of seven bits, least significant first. */
function varint(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`cannot encode ${value} as a varint`);
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function text(field: number, value: string): Buffer {
  return message(field, [Buffer.from(value, 'utf8')]);
}

/** A length-delimited field: a message or a string. */
function message(field: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}
