/**
 * The memory of a worker's isolate, read through the inspector.
 *
 * What V8 says it uses (`Runtime.getHeapUsage`) has the JavaScript heap, garbage that has not been
 * collected yet included, and apart from it the bytes behind array buffers; WebAssembly memories are
 * in neither, so they are counted by themselves (isolate.test.ts checks all three). Compiled code
 * of wasm modules is in none of them.
 *
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { type Inspector, openInspector } from './inspector.ts';

/** Bytes of an isolate. */
export interface IsolateMemory {
  /** Objects on the JavaScript heap and the bytes behind array buffers. */
  heap: number;
  wasm: number;
}

export const total = ({ heap, wasm }: IsolateMemory) => heap + wasm;

/** A reading, and the functions that ran then, innermost first. */
export interface Sample extends IsolateMemory {
  stack: readonly string[];
}

/** An isolate whose memory can be read. */
export interface Isolate {
  /** As it stands; the isolate answers between two pieces of JavaScript. */
  read(): Promise<IsolateMemory>;
  /** After a full garbage collection. */
  readLive(): Promise<IsolateMemory>;
  /**
   * Reads as often as the isolate answers while `work` runs, and also in the middle of its JavaScript:
   * after each half a megabyte of new arrays, and each growth of a wasm memory.
   * @returns the largest reading.
   */
  watch(work: () => Promise<unknown>): Promise<Sample>;
  /** Makes the isolate evaluate a JavaScript expression, for tests of the readings. */
  evaluate(expression: string): Promise<unknown>;
  close(): void;
}

const heapUsage = z.object({
  usedSize: z.number(),
  embedderHeapUsedSize: z.number().default(0),
  backingStorageSize: z.number(),
});
const remoteObject = z.object({ result: z.object({ objectId: z.string() }) });
const remoteValue = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z.looseObject({}).optional(),
});
const queried = z.object({ objects: z.object({ objectId: z.string() }) });
const paused = z.object({
  callFrames: z.array(z.object({ callFrameId: z.string(), functionName: z.string() })).min(1),
});
const nothing = z.unknown();

const POLL_MS = 2;

/** Before the generator is loaded, so that every memory that is made later is known. */
export async function openIsolate(address: string): Promise<Isolate> {
  const inspector = await openInspector(address);
  const context = new Promise<number>((resolve) =>
    inspector.on(
      'Runtime.executionContextCreated',
      z.object({ context: z.object({ id: z.number() }) }),
      (created) => resolve(created.context.id),
    ),
  );
  await inspector.send('Runtime.enable', {}, nothing);
  const contextId = await context;
  const evaluate = async (expression: string) => {
    const params = { contextId, expression, returnByValue: true };
    const answer = await inspector.send('Runtime.evaluate', params, remoteValue);
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  };
  await evaluate(`(${installProbe})()`);
  const probe = (expression: string) => evaluate(`__probe.${expression}`);

  const readHeap = async () => {
    const usage = await inspector.send('Runtime.getHeapUsage', {}, heapUsage);
    return usage.usedSize + usage.embedderHeapUsedSize + usage.backingStorageSize;
  };
  const read = async () => ({
    heap: await readHeap(),
    wasm: z.number().parse(await probe('wasm()')),
  });
  return {
    read,
    async readLive() {
      const wasm = await queryWasm(inspector, contextId); // collects all garbage, to find the living
      return { heap: await readHeap(), wasm };
    },
    watch: async (work) => watch({ inspector, started: await read(), readHeap, work }),
    evaluate,
    close: inspector.close,
  };
}

/** Bytes of all wasm memories that are alive. */
async function queryWasm(inspector: Inspector, contextId: number): Promise<number> {
  const objectGroup = 'memories';
  const prototype = await inspector.send(
    'Runtime.evaluate',
    { contextId, objectGroup, expression: '__probe.memoryPrototype' },
    remoteObject,
  );
  const { objects } = await inspector.send(
    'Runtime.queryObjects',
    { prototypeObjectId: prototype.result.objectId, objectGroup },
    queried,
  );
  const sum =
    'function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }';
  const { result } = await inspector.send(
    'Runtime.callFunctionOn',
    { objectId: objects.objectId, returnByValue: true, functionDeclaration: sum },
    remoteValue,
  );
  await inspector.send('Runtime.releaseObjectGroup', { objectGroup }, nothing);
  return z.number().parse(result.value);
}

async function watch({
  inspector,
  started,
  readHeap,
  work,
}: {
  inspector: Inspector;
  started: IsolateMemory;
  readHeap: () => Promise<number>;
  work: () => Promise<unknown>;
}): Promise<Sample> {
  let largest: Sample = { ...started, stack: [] };
  let { wasm } = started; // it changes only where the isolate stops
  let failure: unknown;
  const keep = (heap: number, stack: readonly string[]) => {
    const sample = { heap, wasm, stack };
    if (total(sample) > total(largest)) largest = sample;
  };
  // Nothing of the isolate runs until it is resumed, so what is read belongs together.
  const readStopped = async ({ callFrames }: z.infer<typeof paused>) => {
    const { callFrameId } = callFrames[0]!;
    const params = { callFrameId, expression: '__probe.wasm()', returnByValue: true };
    // All three on their way at once: they are done in this order.
    const [{ result }, heap] = await Promise.all([
      inspector.send('Debugger.evaluateOnCallFrame', params, remoteValue),
      readHeap(),
      inspector.send('Debugger.resume', {}, nothing),
    ]);
    wasm = z.number().parse(result.value);
    keep(
      heap,
      callFrames.slice(1).map(({ functionName }) => functionName || '(anonymous)'),
    );
  };
  inspector.on('Debugger.paused', paused, (stop) => {
    readStopped(stop).catch((error: unknown) => {
      failure ??= error;
    });
  });
  await inspector.send('Debugger.enable', {}, nothing);
  let done = false;
  const finished = work().finally(() => {
    done = true;
  });
  while (!done) {
    keep(await readHeap(), []);
    await wait(POLL_MS);
  }
  await finished;
  await inspector.send('Debugger.disable', {}, nothing);
  if (failure) throw failure;
  return largest;
}

/**
 * Runs in the isolate (as text): remembers wasm memories, and stops the debugger, where one listens,
 * after so many bytes of new arrays and each growth of a memory.
 */
const installProbe = `function () {
  const STEP = 2 ** 19;
  let unseen = 0;
  const { Memory, Instance, instantiate } = WebAssembly;
  const memories = new Set();
  const pause = () => { debugger; };
  const remember = (instance) => {
    for (const value of Object.values(instance.exports)) if (value instanceof Memory) memories.add(value);
    pause();
    return instance;
  };
  WebAssembly.Memory = new Proxy(Memory, {
    construct(target, args) {
      const memory = new target(...args);
      memories.add(memory);
      pause();
      return memory;
    },
  });
  WebAssembly.Instance = new Proxy(Instance, {
    construct: (target, args) => remember(new target(...args)),
  });
  WebAssembly.instantiate = async (...args) => {
    const made = await instantiate(...args);
    remember(made.instance ?? made);
    return made;
  };
  const { grow } = Memory.prototype;
  Memory.prototype.grow = function (pages) {
    const before = grow.call(this, pages);
    pause();
    return before;
  };
  const names = ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'];
  for (const name of ['ArrayBuffer', ...names.map((name) => name + 'Array')]) {
    const Plain = globalThis[name];
    const Watched = new Proxy(Plain, {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget === Watched ? target : newTarget);
        if (!(args[0] instanceof ArrayBuffer)) unseen += made.byteLength; // else a view takes none
        if (unseen >= STEP) {
          unseen = 0;
          pause();
        }
        return made;
      },
    });
    globalThis[name] = Watched;
    Plain.prototype.constructor = Watched; // slice and map make theirs by it
  }
  globalThis.__probe = {
    memoryPrototype: Memory.prototype,
    wasm: () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0),
  };
}`;
