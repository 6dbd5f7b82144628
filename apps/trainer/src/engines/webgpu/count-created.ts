/** Counts the buffers and bind groups that are created from now on. @returns how many there are so far. */
export function countCreated(): () => number {
  let created = 0;
  const { prototype } = GPUDevice;
  for (const name of ['createBuffer', 'createBindGroup'] as const) {
    const method = prototype[name] as (descriptor: unknown) => unknown;
    Object.assign(prototype, {
      [name](this: GPUDevice, descriptor: unknown) {
        created++;
        return method.call(this, descriptor);
      },
    });
  }
  return () => created;
}
