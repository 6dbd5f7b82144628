/**
 * A recorded step, ready to be replayed: its buffers and bind groups are there, and a replay only
 * writes the feeds and encodes the dispatches into one command buffer.
 *
 * @module
 */
import type { FeedValues } from '../../feed.ts';
import { checkBindings } from '../failures.ts';
import type { WebGPUBackend } from '../program.ts';
import { type Plan, planBuffers } from './plan.ts';
import type { RecordedFeed, Recording } from './recording.ts';
import { type RecordedBinding, RecordedBuffer, type RecordedDispatch } from './stand-ins.ts';

/** Buffers that the steps of all kinds share, and what they add up to. */
export interface SharedBuffers {
  buffers: GPUBuffer[];
}

export interface PreparedStep {
  names: readonly string[];
  dispatches: number;
  /** Bytes of its own: feeds, constants, uniforms. */
  bytes: number;
  /** The buffers of the state that it is bound to, by slot. */
  state: readonly GPUBuffer[];
  /** Binds it to other buffers of the state. */
  bind(state: readonly GPUBuffer[]): void;
  /** Takes the step. Its numbers go to `into`. */
  replay(into: { buffer: GPUBuffer; offset: number }): void;
  dispose(): void;
}

const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage;

interface EncodedDispatch {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  workgroups: readonly [number, number, number];
}

/**
 * Creates the buffers of a step and computes what is the same in every replay.
 * @throws UserError when it needs a larger buffer than the adapter takes.
 */
export function prepareStep(
  backend: WebGPUBackend,
  recording: Recording,
  shared: SharedBuffers,
): PreparedStep {
  const { device } = backend;
  checkBindings(
    device,
    recording.dispatches.flatMap(({ bindings }) => bindings.map(({ size }) => size)),
  );
  const buffers = createBuffers(device, recording, shared);
  const { plan, own, uniforms, bindingOf } = buffers;
  const groups = bindGroupMaker(device, bindingOf, uniforms.bindingOf);
  encode(device, plan.once.map(groups), []);
  let repeated = plan.repeated.map(groups);
  const values = bindingOf(recording.values);
  const feeds = feedWriter(device, recording.feeds, own.feeds);
  return {
    names: recording.names,
    dispatches: repeated.length,
    bytes: own.bytes + uniforms.bytes,
    get state() {
      return buffers.state;
    },
    bind(next) {
      buffers.state = next;
      repeated = plan.repeated.map(groups);
    },
    replay({ buffer, offset }) {
      feeds();
      const numbers = {
        from: values.buffer,
        offset: values.offset ?? 0,
        to: buffer,
        at: offset,
        size: recording.values.size,
      };
      encode(device, repeated, [...stateCopies(recording, buffers), numbers]);
    },
    dispose() {
      own.dispose();
      uniforms.dispose();
    },
  };
}

/** Where everything that a step reads and writes lies; `state` is the state's buffers now, by slot. */
interface StepBuffers {
  plan: Plan;
  own: ReturnType<typeof createOwnBuffers>;
  uniforms: ReturnType<typeof packUniforms>;
  state: readonly GPUBuffer[];
  readonly bindingOf: (buffer: RecordedBinding) => GPUBufferBinding;
}

function createBuffers(
  device: GPUDevice,
  recording: Recording,
  shared: SharedBuffers,
): StepBuffers {
  const plan = planBuffers(
    recording,
    shared.buffers.map(({ size }) => size),
  );
  for (const size of plan.shared.slice(shared.buffers.length)) {
    shared.buffers.push(device.createBuffer({ size, usage: STORAGE | COPY_SRC }));
  }
  const own = createOwnBuffers(device, recording, plan);
  const buffers: StepBuffers = {
    plan,
    own,
    uniforms: packUniforms(device, [...plan.once, ...plan.repeated]),
    state: recording.state,
    bindingOf: (buffer) => {
      if (!(buffer instanceof RecordedBuffer)) {
        const slot = recording.state.indexOf(buffer);
        return { buffer: slot < 0 ? buffer : buffers.state[slot]! };
      }
      const place = plan.place.get(buffer);
      if (place === undefined) return own.bindingOf(buffer);
      return { buffer: shared.buffers[place]!, size: buffer.size };
    },
  };
  return buffers;
}

/** From where a step has computed its next state to where the state lies. */
const stateCopies = (recording: Recording, buffers: StepBuffers): Copy[] =>
  recording.nextState.flatMap((next, slot) => {
    if (next === recording.state[slot]) return [];
    const { buffer, offset = 0 } = buffers.bindingOf(next);
    const to = buffers.state[slot]!;
    return { from: buffer, offset, to, size: to.size };
  });

interface Copy {
  from: GPUBuffer;
  offset: number;
  to: GPUBuffer;
  at?: number;
  size: number;
}

function encode(
  device: GPUDevice,
  dispatches: readonly EncodedDispatch[],
  copies: readonly Copy[],
) {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, group, workgroups } of dispatches) {
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
  pass.end();
  for (const { from, offset, to, at = 0, size } of copies) {
    encoder.copyBufferToBuffer(from, offset, to, at, size);
  }
  device.queue.submit([encoder.finish()]);
}

function bindGroupMaker(
  device: GPUDevice,
  bindingOf: (buffer: RecordedBinding) => GPUBufferBinding,
  uniformsOf: (uniforms: ArrayBuffer) => GPUBufferBinding,
) {
  const layouts = new Map<GPUComputePipeline, GPUBindGroupLayout>();
  return ({ pipeline, bindings, uniforms, workgroups }: RecordedDispatch): EncodedDispatch => {
    const layout = layouts.get(pipeline) ?? pipeline.getBindGroupLayout(0);
    layouts.set(pipeline, layout);
    const resources = [...bindings.map(bindingOf), uniformsOf(uniforms)];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    return { pipeline, group: device.createBindGroup({ layout, entries }), workgroups };
  };
}

/** Feeds and constants lie side by side in one buffer each, what is computed once in buffers alone. */
function createOwnBuffers(
  device: GPUDevice,
  { feeds }: Recording,
  { constants, precomputed }: Plan,
) {
  const alignment = device.limits.minStorageBufferOffsetAlignment;
  const fed = layOut(
    feeds.map(({ buffer }) => buffer),
    alignment,
  );
  const fixed = layOut<RecordedBuffer>(constants, alignment);
  const usage = STORAGE | COPY_DST | COPY_SRC;
  const feedBuffer = device.createBuffer({ size: fed.size, usage });
  const constantBuffer = device.createBuffer({ size: fixed.size, usage });
  const contents = new Uint8Array(fixed.size);
  for (const buffer of constants) {
    contents.set(new Uint8Array(buffer.contents), fixed.offsets.get(buffer)!);
  }
  device.queue.writeBuffer(constantBuffer, 0, contents);
  const computed = new Map(
    precomputed.map(
      (buffer) => [buffer, device.createBuffer({ size: buffer.size, usage })] as const,
    ),
  );
  const bytes = [...computed.values()].reduce((sum, { size }) => sum + size, fed.size + fixed.size);
  return {
    feeds: { buffer: feedBuffer, ...fed },
    bytes,
    bindingOf(buffer: RecordedBuffer): GPUBufferBinding {
      const { size } = buffer;
      const own = computed.get(buffer);
      if (own) return { buffer: own };
      const feedOffset = fed.offsets.get(buffer);
      if (feedOffset !== undefined) return { buffer: feedBuffer, offset: feedOffset, size };
      const offset = fixed.offsets.get(buffer);
      if (offset === undefined) throw new Error('a recorded step reads what nothing has written');
      return { buffer: constantBuffer, offset, size };
    },
    dispose() {
      for (const buffer of [feedBuffer, constantBuffer, ...computed.values()]) buffer.destroy();
    },
  };
}

interface Layout<Part> {
  size: number;
  offsets: ReadonlyMap<Part, number>;
}

function layOut<Part extends { size: number }>(
  parts: readonly Part[],
  alignment: number,
): Layout<Part> {
  let size = 0;
  const offsets = new Map<Part, number>();
  for (const part of parts) {
    offsets.set(part, size);
    size += Math.ceil(part.size / alignment) * alignment;
  }
  return { size: Math.max(size, alignment), offsets };
}

/** Writes all feeds in one transfer. */
function feedWriter(
  device: GPUDevice,
  feeds: readonly RecordedFeed[],
  { buffer, size, offsets }: Layout<RecordedBuffer> & { buffer: GPUBuffer },
): () => void {
  const bytes = new ArrayBuffer(size);
  const floats = new Float32Array(bytes);
  const ints = new Int32Array(bytes);
  const write = (values: FeedValues, at: number) =>
    values instanceof Float32Array ? floats.set(values, at) : ints.set(values, at);
  return () => {
    for (const feed of feeds) write(feed.values(), offsets.get(feed.buffer)! / 4);
    device.queue.writeBuffer(buffer, 0, bytes);
  };
}

/** All uniforms in one buffer; equal ones once. */
function packUniforms(device: GPUDevice, dispatches: readonly RecordedDispatch[]) {
  const alignment = device.limits.minUniformBufferOffsetAlignment;
  const textOf = (uniforms: ArrayBuffer) => new Uint32Array(uniforms).join();
  const unique = new Map(dispatches.map(({ uniforms }) => [textOf(uniforms), uniforms] as const));
  const parts = [...unique.values()].map((uniforms) => ({ uniforms, size: uniforms.byteLength }));
  const { size, offsets } = layOut(parts, alignment);
  const contents = new Uint8Array(size);
  const bindings = new Map<string, GPUBufferBinding>();
  const buffer = device.createBuffer({ size, usage: UNIFORM | COPY_DST });
  for (const part of parts) {
    const offset = offsets.get(part)!;
    contents.set(new Uint8Array(part.uniforms), offset);
    bindings.set(textOf(part.uniforms), { buffer, offset, size: part.size });
  }
  device.queue.writeBuffer(buffer, 0, contents);
  return {
    bytes: size,
    bindingOf: (uniforms: ArrayBuffer) => bindings.get(textOf(uniforms))!,
    dispose: () => buffer.destroy(),
  };
}
