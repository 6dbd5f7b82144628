/**
 * Where the time of a training step goes on WebGPU: how often it calls the GPU, how long those calls
 * take on the host, and how long the device computes (timestamp queries, where it has them).
 *
 * @module
 */

/** What one step did, times in milliseconds. */
export interface GpuUse {
  dispatches: number;
  submissions: number;
  /** Buffers and bind groups that were created. */
  created: number;
  /** Host time inside the calls of WebGPU, without {@link GpuUse.submit}. */
  calls: number;
  /** Host time inside `queue.submit`: a software adapter computes there. */
  submit: number;
  /** Sum over compute passes; undefined where the device has no timestamps. */
  device: number | undefined;
}

export interface GpuClock {
  /** Begins to count anew. */
  start(): void;
  /** Host time inside WebGPU since {@link GpuClock.start}, in milliseconds. */
  inside(): number;
  /** Waits for the device's timestamps. */
  stop(): Promise<GpuUse>;
}

/** Compute passes of one step of which the device's time is kept. */
const MOST_PASSES = 2_048;

const CALLS = [
  [GPUDevice, ['createBuffer', 'createBindGroup', 'createCommandEncoder', 'createShaderModule']],
  [GPUDevice, ['createComputePipeline']],
  [GPUComputePipeline, ['getBindGroupLayout']],
  [GPUCommandEncoder, ['beginComputePass', 'copyBufferToBuffer', 'finish']],
  [GPUComputePassEncoder, ['setPipeline', 'setBindGroup', 'dispatchWorkgroups', 'end']],
  [GPUQueue, ['submit', 'writeBuffer']],
  [GPUBuffer, ['mapAsync', 'getMappedRange', 'unmap', 'destroy']],
] as const;

type Method = (...parameters: unknown[]) => unknown;

/** Wraps the methods of WebGPU in this process. Call it once. */
export function startGpuClock(device: GPUDevice): GpuClock {
  const counts = new Map<string, number>();
  let [calls, submit] = [0, 0];
  for (const [{ prototype }, names] of CALLS) {
    for (const name of names) {
      const methods = prototype as unknown as Record<string, Method>;
      const method = methods[name]!;
      methods[name] = function (this: unknown, ...parameters: unknown[]) {
        const began = performance.now();
        try {
          return method.apply(this, parameters);
        } finally {
          const took = performance.now() - began;
          if (name === 'submit') submit += took;
          else calls += took;
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
      };
    }
  }
  const passes = device.features.has('timestamp-query') ? timePasses(device) : undefined;
  const count = (name: string) => counts.get(name) ?? 0;
  return {
    start() {
      counts.clear();
      [calls, submit] = [0, 0];
      passes?.start();
    },
    inside: () => calls + submit,
    async stop() {
      const use = {
        dispatches: count('dispatchWorkgroups'),
        submissions: count('submit'),
        created: count('createBuffer') + count('createBindGroup'),
        calls,
        submit,
      };
      return { ...use, device: await passes?.stop() };
    },
  };
}

/** Gives every compute pass two timestamps. */
function timePasses(device: GPUDevice) {
  const bytes = 2 * MOST_PASSES * 8;
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * MOST_PASSES });
  const resolved = device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const readable = device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  let begun = 0;
  const { prototype } = GPUCommandEncoder;
  const { beginComputePass } = prototype;
  prototype.beginComputePass = function (this: GPUCommandEncoder, descriptor = {}) {
    if (begun === MOST_PASSES) throw new Error(`a step has more than ${MOST_PASSES} passes`);
    const at = { beginningOfPassWriteIndex: 2 * begun, endOfPassWriteIndex: 2 * begun + 1 };
    begun++;
    return beginComputePass.call(this, { ...descriptor, timestampWrites: { querySet, ...at } });
  };
  return {
    start() {
      begun = 0;
    },
    async stop() {
      const passes = begun;
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(querySet, 0, 2 * passes, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, readable, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await readable.mapAsync(GPUMapMode.READ);
      const times = new BigUint64Array(readable.getMappedRange().slice(0));
      readable.unmap();
      let nanoseconds = 0n;
      for (let i = 0; i < passes; i++) nanoseconds += times[2 * i + 1]! - times[2 * i]!;
      return Number(nanoseconds) / 1e6;
    },
  };
}
