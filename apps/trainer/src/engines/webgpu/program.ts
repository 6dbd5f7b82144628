/**
 * Compute shaders of our own, run by tfjs's WebGPU backend: it compiles them once, keeps their
 * buffers, and puts several in one submission.
 *
 * @module
 */
import { product } from '@killme/model';
import type { WebGPUBackend, WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';

export type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** Lanes of a workgroup: two warps of NVIDIA's, one wave of AMD's. */
export const LANES = 64;

/** The components of a vec4. */
export const IN_FOUR = ['x', 'y', 'z', 'w'] as const;

export interface Shader {
  /** Names the compiled program: equal names must have equal code. */
  name: string;
  /** WGSL at module scope. */
  declarations?: string;
  /** WGSL of the entry; the inputs and `result` are arrays of f32, `uniforms.…` the uniforms. */
  body: string;
  /** Which of these arrays, `result` among them, are of vec4<f32>: of a number of numbers that four divides. */
  fours?: readonly string[];
}

export type Uniform = { i32: number } | { u32: number } | { f32: number };

export interface ShaderCall {
  /** By the names of the shader's arrays. */
  inputs: Record<string, TensorInfo>;
  shape: readonly number[];
  uniforms?: Record<string, Uniform>;
}

/**
 * Runs a shader once for each of `threads` numbers, which the body knows as `index` (i32).
 * @param options.threads without it, one for each number of the output.
 */
export function runShader(
  backend: WebGPUBackend,
  { name, declarations = '', body }: Shader,
  { threads, ...call }: ShaderCall & { threads?: number },
): TensorInfo {
  const count = threads ?? product(call.shape);
  const guarded = `if (index < uniforms.threads) { ${body} }`;
  const uniforms = { ...call.uniforms, threads: { i32: count } };
  return dispatch(
    backend,
    { ...call, uniforms },
    {
      shaderKey: `killme-${name}`,
      workgroupSize: [LANES, 1, 1],
      dispatch: [Math.ceil(count / LANES), 1, 1],
      dispatchLayout: { x: [0] },
      getUserCode: () => `${declarations}\nfn main(index : i32) { ${guarded} }`,
    },
  );
}

/**
 * Runs a shader in workgroups whose lanes work together; the body knows `workgroupId` and
 * `localIndex` (u32).
 */
export function runWorkgroups(
  backend: WebGPUBackend,
  { name, declarations = '', body, fours = [] }: Shader,
  { workgroups, ...call }: ShaderCall & { workgroups: [number, number, number] },
): TensorInfo {
  const components = (array: string) => (fours.includes(array) ? 4 : 1);
  return dispatch(backend, call, {
    shaderKey: `killme-${name}`,
    workgroupSize: [LANES, 1, 1],
    dispatch: workgroups,
    // With more than x, tfjs computes no index of its own.
    dispatchLayout: { x: [0], y: [0], z: [0] },
    outputComponent: components('result'),
    variableComponents: Object.keys(call.inputs).map(components),
    getUserCode: () => `${declarations}\nfn main() { ${body} }`,
  });
}

type Program = Omit<WebGPUProgram, 'outputShape' | 'variableNames' | 'uniforms'>;

function dispatch(
  backend: WebGPUBackend,
  { inputs, shape, uniforms = {} }: ShaderCall,
  program: Program,
): TensorInfo {
  const size = product(shape);
  const declared = Object.entries(uniforms).map(([name, value]) => {
    const [[type, number]] = Object.entries(value) as [[string, number]];
    return { name, type, number };
  });
  const names = { i32: 'int32', u32: 'uint32', f32: 'float32' } as Record<string, string>;
  const output = backend.runWebGPUProgram(
    {
      ...program,
      outputShape: [size],
      variableNames: Object.keys(inputs),
      uniforms: declared.map(({ name, type }) => `${name} : ${type},`).join(' '),
    },
    // Flat: the shaders do their own indexing, and tfjs has none of more than six dimensions.
    Object.values(inputs).map((input) => ({ ...input, shape: [product(input.shape)] })),
    'float32' satisfies DataType,
    declared.map(({ type, number }) => ({ type: names[type]!, data: [number] })),
  );
  return { ...output, shape: [...shape] };
}

/** Uniforms that are all whole numbers. */
export function i32(values: Record<string, number>): Record<string, { i32: number }> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { i32: value }]));
}
