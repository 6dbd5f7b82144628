/**
 * The numbers of replayed steps (losses): they gather on the device and come to the host in groups, so
 * that no step waits for a transfer.
 *
 * @module
 */

/** Most steps whose numbers are transferred together. */
const GROUP = 16;

/** Groups that are there from the first: two that wait, one that is filled, one that is read. */
const GROUPS = 4;

/** What the device computes in a group, in seconds: a run that is stopped waits for two of them. */
const GROUP_SECONDS = 0.25;

/** Bytes for the numbers of one step. */
export const SLOT = 64;

interface Group {
  gathered: GPUBuffer;
  readable: GPUBuffer;
  used: number;
  /** When its first step was submitted, in milliseconds. */
  began: number;
  /** Once its transfer has begun. */
  numbers: Promise<ArrayBuffer> | undefined;
}

/** Where the numbers of one step go. */
export interface NumbersSlot {
  buffer: GPUBuffer;
  offset: number;
  read(count: number): Promise<Float32Array>;
}

const SIZE = GROUP * SLOT;

export class StepNumbers {
  readonly #device: GPUDevice;
  readonly #free: Pick<Group, 'gathered' | 'readable'>[] = [];
  #current: Group;
  /** Steps in a group: few until it is known how long they take. */
  #capacity = 1;
  #doneAt = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    const groups = Array.from({ length: GROUPS }, () => this.#newGroup());
    this.#current = groups.pop()!;
    this.#free.push(...groups);
  }

  /** Steps that may wait before the numbers of the first are read: two groups. */
  get lag(): number {
    return 2 * this.#capacity;
  }

  /** Call {@link StepNumbers.filled} once the step that writes into it has been submitted. */
  next(): NumbersSlot {
    const group = this.#current;
    if (group.used === 0) group.began = performance.now();
    const offset = SLOT * group.used++;
    return {
      buffer: group.gathered,
      offset,
      read: async (count) => {
        this.#transfer(group);
        return new Float32Array(await group.numbers!, offset, count);
      },
    };
  }

  filled(): void {
    if (this.#current.used >= this.#capacity) this.#transfer(this.#current);
  }

  dispose(): void {
    for (const { gathered, readable } of [...this.#free, this.#current]) {
      gathered.destroy();
      readable.destroy();
    }
  }

  #transfer(group: Group): void {
    if (group.numbers) return;
    const { gathered, readable } = group;
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(gathered, 0, readable, 0, SIZE);
    this.#device.queue.submit([encoder.finish()]);
    group.numbers = readable.mapAsync(GPUMapMode.READ).then(() => {
      const numbers = readable.getMappedRange().slice(0);
      readable.unmap();
      this.#measure(group);
      this.#free.push({ gathered, readable });
      return numbers;
    });
    group.numbers.catch(() => {}); // Whoever reads it gets it.
    this.#current = this.#newGroup();
  }

  #measure({ began, used }: Group): void {
    const now = performance.now();
    const seconds = (now - Math.max(began, this.#doneAt)) / 1000 / used;
    this.#doneAt = now;
    this.#capacity = Math.min(GROUP, Math.max(1, Math.floor(GROUP_SECONDS / seconds)));
  }

  #newGroup(): Group {
    const { STORAGE, MAP_READ, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const create = (usage: number) => this.#device.createBuffer({ size: SIZE, usage });
    const buffers = this.#free.pop() ?? {
      gathered: create(STORAGE | COPY_DST | COPY_SRC),
      readable: create(MAP_READ | COPY_DST),
    };
    return { ...buffers, used: 0, began: 0, numbers: undefined };
  }
}
