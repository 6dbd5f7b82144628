/**
 * What tfjs's WebGPU backend is given in place of its device while a step is recorded: it then runs no
 * shader and allocates nothing, but says what it would do.
 *
 * @module
 */
import type { WebGPUBackend } from '../program.ts';
import { writtenBindings } from '../written-bindings.ts';
import { currentCall, type KernelCall, withKernelCalls } from './kernel-calls.ts';

/** A buffer that tfjs would have created. */
export class RecordedBuffer {
  readonly size: number;
  readonly usage: number;
  /** What the host wrote into it; undefined where only shaders write. */
  contents: ArrayBuffer | undefined;
  readonly mapState = 'mapped';

  constructor(size: number, usage: number) {
    this.size = size;
    this.usage = usage;
  }

  getMappedRange(): ArrayBuffer {
    this.contents ??= new ArrayBuffer(this.size);
    return this.contents;
  }

  unmap(): void {}
}

/** A part of a buffer, as it is bound. */
export type RecordedBinding = RecordedBuffer | GPUBuffer;

/** A dispatch that tfjs would have encoded. */
export interface RecordedDispatch {
  pipeline: GPUComputePipeline;
  /** By binding number, without the last, which are the uniforms. */
  bindings: readonly RecordedBinding[];
  /** How many of the first bindings it writes. */
  written: number;
  uniforms: ArrayBuffer;
  workgroups: readonly [number, number, number];
  /** The call of a tfjs kernel that it is part of. */
  call: KernelCall | undefined;
}

/** The members of tfjs's backend that reach the device. */
interface DeviceSide {
  device: GPUDevice;
  queue: GPUQueue;
  bufferManager: unknown;
  commandEncoder: unknown;
  computePassEncoder: unknown;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

type Entry = { resource: RecordedBuffer | { buffer: GPUBuffer | RecordedBuffer } };

let recording = false;

/** Whether a step is being recorded: no shader runs then. */
export const isRecording = (): boolean => recording;

/** Sends what tfjs has encoded to the device. */
export function flush(backend: WebGPUBackend): void {
  const side = backend as unknown as DeviceSide;
  side.endComputePassEncoder();
  if (side.commandEncoder) side.submitQueue();
}

/**
 * Calls `run`, of which no kernel reaches the device.
 * @returns what it would have dispatched.
 */
export function recordDispatches<Result>(
  backend: WebGPUBackend,
  run: () => Result,
): { result: Result; dispatches: RecordedDispatch[] } {
  flush(backend);
  const side = backend as unknown as DeviceSide;
  const { device, queue, bufferManager } = side;
  const dispatches: RecordedDispatch[] = [];
  Object.assign(side, {
    device: standInDevice(device, dispatches),
    queue: standInQueue(),
    bufferManager: {
      acquireBuffer: (size: number, usage: number) => new RecordedBuffer(size, usage),
      releaseBuffer: () => {},
    },
  });
  recording = true;
  try {
    const result = withKernelCalls(run);
    flush(backend); // lets go of the tensors that are done with
    return { result, dispatches };
  } finally {
    recording = false;
    Object.assign(side, { device, queue, bufferManager, commandEncoder: null });
    side.computePassEncoder = null;
  }
}

function standInDevice(device: GPUDevice, dispatches: RecordedDispatch[]): GPUDevice {
  const standIns = {
    createBindGroup: ({ entries }: { entries: Entry[] }) => entries,
    createCommandEncoder: () => ({
      beginComputePass: () => standInPass(dispatches),
      copyBufferToBuffer: () => {
        throw new Error('a buffer is copied inside the step');
      },
      finish: () => {},
    }),
  };
  return new Proxy(device, {
    get(target, key) {
      if (key in standIns) return standIns[key as keyof typeof standIns];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function standInPass(dispatches: RecordedDispatch[]) {
  let pipeline: GPUComputePipeline;
  let bound: RecordedBinding[] = [];
  return {
    setPipeline(next: GPUComputePipeline) {
      pipeline = next;
    },
    setBindGroup(_: number, entries: Entry[]) {
      bound = entries.map(({ resource }) => ('buffer' in resource ? resource.buffer : resource));
    },
    dispatchWorkgroups(x: number, y = 1, z = 1) {
      const bindings = bound.slice(0, -1);
      const uniforms = (bound.at(-1) as RecordedBuffer).contents!;
      const written = writtenBindings(pipeline);
      const call = currentCall();
      dispatches.push({ pipeline, bindings, written, uniforms, workgroups: [x, y, z], call });
    },
    end() {},
  };
}

function standInQueue() {
  return {
    submit: () => {},
    writeBuffer(buffer: RecordedBuffer, _: number, contents: ArrayBuffer) {
      buffer.contents = contents;
    },
  };
}
