/**
 * Shaders that write into tensors that are there already, several at once and of several tensors of weights at
 * once; tfjs's programs have one output, which is always a new tensor.
 *
 * @module
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { runShader, type Shader, type Uniform, type WebGPUBackend } from './program.ts';
import { isRecording } from './replay/stand-ins.ts';
import { setWrittenBindings } from './written-bindings.ts';

/**
 * WGSL over sets of arrays of f32, one workgroup after the other for each set: all weights of a network take a few
 * dispatches, as many as it takes to bind them.
 */
export interface InPlaceShader {
  name: string;
  /** Names of the arrays of a set that it writes, or reads and writes. */
  written: readonly string[];
  /** Names of the arrays of a set that it reads. */
  read: readonly string[];
  /** Names of the arrays that all sets have in common; it reads them. */
  common?: readonly string[];
  /** At module scope. */
  declarations?: string;
  /**
   * What a workgroup does with the numbers from `begin` to `end` (i32) of the `count` of a set, by its part of them,
   * `part`, with its lane, `lane`.
   * @param array the name of an array of the set
   */
  body(array: (name: string) => string): string;
}

/** Lanes of a workgroup. */
export const LANES = 256;

/** Numbers of a set that a workgroup takes. */
const SHARE = 4 * LANES;

/** A loop over a workgroup's numbers, which the body knows as `i`. */
export const EACH = `for (var i = begin + lane; i < end; i += ${LANES})`;

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
 * A sum over the lanes of a workgroup in a fixed order, which all of them get. All lanes have to call it.
 * It goes into a shader's declarations.
 */
export const GROUP_SUM = `
  var<workgroup> lanes : array<f32, ${LANES}>;
  fn groupSum(lane : i32, value : f32) -> f32 {
    workgroupBarrier();
    lanes[lane] = value;
    workgroupBarrier();
    for (var reach = ${LANES / 2}; reach > 0; reach >>= 1u) {
      if (lane < reach) { lanes[lane] += lanes[lane + reach]; }
      workgroupBarrier();
    }
    return lanes[0];
  }
`;

/** A set of arrays: a tensor for each name of a shader's. */
export interface ArraySet {
  tensors: Record<string, TensorInfo>;
  /** Its numbers; those of a workgroup are {@link SHARE} where the caller does not say otherwise. */
  count: number;
  share?: number;
}

interface InPlaceCall {
  /** The tensors that are written have to be from {@link ownTensor} or {@link newTensor}. */
  sets: readonly ArraySet[];
  common?: Record<string, TensorInfo>;
  uniforms?: Record<string, Uniform>;
}

/** Runs a shader over sets of tensors. Equal names of shaders must have equal code and uniforms. */
export function runInPlace(backend: WebGPUBackend, shader: InPlaceShader, call: InPlaceCall): void {
  const { written, read, common = [] } = shader;
  const { maxStorageBuffersPerShaderStage: most } = backend.device.limits;
  const together = Math.floor((most - common.length) / (written.length + read.length));
  for (let first = 0; first < call.sets.length; first += together) {
    runTogether(backend, shader, { ...call, sets: call.sets.slice(first, first + together) });
  }
}

function runTogether(
  backend: WebGPUBackend,
  shader: InPlaceShader,
  { sets, common = {}, uniforms = {} }: InPlaceCall,
): void {
  const tensors = [
    ...shader.written.flatMap((name) => sets.map((set) => set.tensors[name]!)),
    ...shader.read.flatMap((name) => sets.map((set) => set.tensors[name]!)),
    ...(shader.common ?? []).map((name) => common[name]!),
  ];
  let workgroups = 0;
  const spans = sets.flatMap(({ count, share = SHARE }, i) => {
    workgroups += Math.ceil(count / share);
    return Object.entries({ count, share, last: workgroups }).map(
      ([name, value]) => [name + i, { i32: value }] as const,
    );
  });
  const declared = [...spans, ...Object.entries(uniforms)];
  const encoding = backend as unknown as Encoding;
  const packed = encoding.makeUniforms(declared.map(([, uniform]) => dataOf(uniform)));
  const pipeline = pipelineOf(backend, shader, { sets: sets.length, declared });
  const resources = [...tensors.map((tensor) => bufferOf(backend, tensor)), packed];
  const entries = resources.map((resource, binding) => ({ binding, resource }));
  const layout = pipeline.getBindGroupLayout(0);
  const group = backend.device.createBindGroup({ layout, entries });
  encoding.ensureCommandEncoderReady();
  encoding.computePassEncoder ??= encoding.commandEncoder.beginComputePass();
  encoding.computePassEncoder.setPipeline(pipeline);
  encoding.computePassEncoder.setBindGroup(0, group);
  const across = Math.min(workgroups, 32_768);
  encoding.computePassEncoder.dispatchWorkgroups(across, Math.ceil(workgroups / across), 1);
  encoding.dispatchCountInPass++;
  for (const { dataId } of tensors) encoding.commandQueueOwnedIds.add(dataId);
}

function dataOf(uniform: Uniform): { type: 'int32' | 'float32'; data: number[] } {
  if ('f32' in uniform) return { type: 'float32', data: [uniform.f32] };
  return { type: 'int32', data: ['i32' in uniform ? uniform.i32 : uniform.u32] };
}

/** A tensor without any values yet, to write into. */
export const newTensor = (backend: WebGPUBackend, shape: readonly number[]): TensorInfo =>
  backend.makeTensorInfo([...shape], 'float32');

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

interface Variant {
  /** How many sets a dispatch takes. */
  sets: number;
  declared: readonly (readonly [name: string, uniform: Uniform])[];
}

function pipelineOf(
  backend: WebGPUBackend,
  shader: InPlaceShader,
  variant: Variant,
): GPUComputePipeline {
  const { device } = backend;
  const known = pipelines.get(backend) ?? new Map<string, GPUComputePipeline>();
  pipelines.set(backend, known);
  const label = `${shader.name} of ${variant.sets}`;
  const compiled = known.get(label);
  if (compiled) return compiled;
  const module = device.createShaderModule({ code: codeOf(shader, variant), label });
  const pipeline = device.createComputePipeline({
    label,
    layout: 'auto',
    compute: { module, entryPoint: 'main' },
  });
  known.set(label, pipeline);
  setWrittenBindings(pipeline, shader.written.length * variant.sets);
  return pipeline;
}

function codeOf(shader: InPlaceShader, { sets, declared }: Variant): string {
  const { written, read, common = [], declarations = '', body } = shader;
  const indices = Array.from({ length: sets }, (_, set) => set);
  const arrays = [
    ...written.flatMap((name) =>
      indices.map((set) => ({ name: name + set, access: 'read_write' })),
    ),
    ...read.flatMap((name) => indices.map((set) => ({ name: name + set, access: 'read' }))),
    ...common.map((name) => ({ name, access: 'read' })),
  ];
  const uniforms = declared.map(([name, uniform]) => `${name} : ${Object.keys(uniform)[0]},`);
  const branches = indices.map((set) => {
    const before = set === 0 ? '0' : `uniforms.last${set - 1}`;
    return `if (group < uniforms.last${set}) {
      let part = group - ${before};
      let count = uniforms.count${set};
      let begin = part * uniforms.share${set};
      let end = min(begin + uniforms.share${set}, count);
      ${body((name) => name + set)}
    }`;
  });
  return `
    struct Uniforms { ${uniforms.join(' ')} }
    ${arrays.map(({ name, access }, i) => `@group(0) @binding(${i}) var<storage, ${access}> ${name} : array<f32>;`).join('\n')}
    @group(0) @binding(${arrays.length}) var<uniform> uniforms : Uniforms;
    ${declarations}
    @compute @workgroup_size(${LANES})
    fn main(
      @builtin(workgroup_id) id : vec3<u32>,
      @builtin(num_workgroups) groups : vec3<u32>,
      @builtin(local_invocation_index) index : u32,
    ) {
      let lane = i32(index);
      let group = i32(id.y * groups.x + id.x);
      ${branches.join(' else ')}
    }`;
}
