const counts = new WeakMap<GPUComputePipeline, number>();

/** How many of the first bindings of a pipeline it writes: 1 in programs of tfjs. */
export const writtenBindings = (pipeline: GPUComputePipeline): number => counts.get(pipeline) ?? 1;

export function setWrittenBindings(pipeline: GPUComputePipeline, count: number): void {
  counts.set(pipeline, count);
}
