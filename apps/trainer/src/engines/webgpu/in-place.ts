/**
 * Shaders that write into tensors that are there already, several at once; tfjs's programs have one output,
 * which is always a new tensor.
 *
 * @module
 */
import { product } from '@killme/model';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { runShader, type Shader, type WebGPUBackend } from './program.ts';
import { isRecording } from './replay/stand-ins.ts';
import { setWrittenBindings } from './written-bindings.ts';

/** WGSL over arrays of f32; the body knows its element as `i`, and `uniforms.…`. */
export interface InPlaceShader {
  name: string;
  /** Names of the arrays that it reads and writes. */
  written: readonly string[];
  /** Names of the arrays that it reads. */
  read: readonly string[];
  /** Names of f32 uniforms. */
  uniforms: readonly string[];
  body: string;
}

const LANES = 256;

/** The members of tfjs's backend that it encodes with. */
interface Encoding {
  commandEncoder: GPUCommandEncoder;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  commandQueueOwnedIds: WeakSet<object>;
  ensureCommandEncoderReady(): void;
  makeUniforms(uniforms: { type: 'int32' | 'float32'; data: number[] }[]): GPUBufferBinding;
}

/** By backend: while a step is recorded its device is a stand-in. */
const pipelines = new WeakMap<WebGPUBackend, Map<string, GPUComputePipeline>>();

/**
 * Runs a shader once for each number of the tensors that it writes, which all have one shape.
 * @param tensors the written ones have to be from {@link ownTensor}.
 * @returns the written tensors.
 */
export function runInPlace(
  backend: WebGPUBackend,
  shader: InPlaceShader,
  { tensors, uniforms }: { tensors: Record<string, TensorInfo>; uniforms: readonly number[] },
): TensorInfo[] {
  const names = [...shader.written, ...shader.read];
  const buffers = names.map((name) => bufferOf(backend, tensors[name]!));
  const count = product(tensors[shader.written[0]!]!.shape);
  const encoding = backend as unknown as Encoding;
  const packed = encoding.makeUniforms([
    { type: 'int32', data: [count] },
    ...uniforms.map((value) => ({ type: 'float32' as const, data: [value] })),
  ]);
  const pipeline = pipelineOf(backend, shader);
  const entries = [...buffers, packed].map((resource, binding) => ({ binding, resource }));
  const layout = pipeline.getBindGroupLayout(0);
  const group = backend.device.createBindGroup({ layout, entries });
  encoding.ensureCommandEncoderReady();
  encoding.computePassEncoder ??= encoding.commandEncoder.beginComputePass();
  encoding.computePassEncoder.setPipeline(pipeline);
  encoding.computePassEncoder.setBindGroup(0, group);
  const workgroups = Math.ceil(count / LANES);
  const across = Math.min(workgroups, 32_768);
  encoding.computePassEncoder.dispatchWorkgroups(across, Math.ceil(workgroups / across), 1);
  encoding.dispatchCountInPass++;
  for (const name of names) encoding.commandQueueOwnedIds.add(tensors[name]!.dataId);
  return shader.written.map((name) => tensors[name]!);
}

/**
 * A tensor to write into: the given one under another reference, or a copy where its memory is that of another
 * tensor too. While a step is recorded it is lent (see recordStep), and no copy.
 */
export function ownTensor(backend: WebGPUBackend, tensor: TensorInfo): TensorInfo {
  const { dataId, shape, dtype } = tensor;
  if (backend.refCount(dataId) > 1 && !isRecording()) {
    return runShader(backend, COPY, { inputs: { x: tensor }, shape });
  }
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}

const COPY: Shader = { name: 'copy', body: 'result[index] = x[index];' };

/** What tfjs has read of a tensor before is forgotten: it is about to change. */
function bufferOf(backend: WebGPUBackend, { dataId }: TensorInfo): GPUBufferBinding {
  backend.uploadToGPU(dataId);
  const data = backend.tensorMap.get(dataId) as { resource: GPUBuffer; values: unknown };
  data.values = null;
  // While a step is recorded it is a stand-in for a buffer.
  return data.resource instanceof GPUBuffer ? { buffer: data.resource } : (data.resource as never);
}

function pipelineOf(backend: WebGPUBackend, shader: InPlaceShader): GPUComputePipeline {
  const { device } = backend;
  const known = pipelines.get(backend) ?? new Map<string, GPUComputePipeline>();
  pipelines.set(backend, known);
  const compiled = known.get(shader.name);
  if (compiled) return compiled;
  const module = device.createShaderModule({ code: codeOf(shader), label: shader.name });
  const pipeline = device.createComputePipeline({
    label: shader.name,
    layout: 'auto',
    compute: { module, entryPoint: 'main' },
  });
  known.set(shader.name, pipeline);
  setWrittenBindings(pipeline, shader.written.length);
  return pipeline;
}

function codeOf({ written, read, uniforms, body }: InPlaceShader): string {
  const binding = (name: string, index: number, access: string) =>
    `@group(0) @binding(${index}) var<storage, ${access}> ${name} : array<f32>;`;
  return `
    struct Uniforms { count : i32, ${uniforms.map((name) => `${name} : f32,`).join(' ')} }
    ${written.map((name, i) => binding(name, i, 'read_write')).join('\n')}
    ${read.map((name, i) => binding(name, written.length + i, 'read')).join('\n')}
    @group(0) @binding(${written.length + read.length}) var<uniform> uniforms : Uniforms;
    @compute @workgroup_size(${LANES})
    fn main(
      @builtin(workgroup_id) group : vec3<u32>,
      @builtin(num_workgroups) groups : vec3<u32>,
      @builtin(local_invocation_index) lane : u32,
    ) {
      let i = i32((group.y * groups.x + group.x) * ${LANES}u + lane);
      if (i < uniforms.count) { ${body} }
    }`;
}
