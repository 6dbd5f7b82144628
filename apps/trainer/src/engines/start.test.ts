import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from './engine.ts';
import { NeedsDeno, startEngine } from './start.ts';
import type { TensorflowSearch } from './tensorflow/location.ts';
import type { WebgpuSearch } from './webgpu/adapter.ts';

/** A machine, as the engines' searches see it. */
const machine = vi.hoisted(() => ({
  tensorflow: undefined as TensorflowSearch | undefined,
  webgpu: undefined as WebgpuSearch | undefined,
  cuda: false,
}));

vi.mock('./tensorflow/location.ts', () => ({ findTensorflow: () => machine.tensorflow }));
vi.mock('./webgpu/adapter.ts', () => ({ findWebgpu: async () => machine.webgpu }));
vi.mock('./tensorflow/tensorflow.ts', () => ({
  startTensorflow: async (): Promise<Engine> => ({
    name: 'tensorflow',
    device: machine.cuda ? 'NVIDIA A' : 'CPU',
    gpu: machine.cuda,
  }),
}));
vi.mock('./wasm/wasm.ts', () => ({
  startWasm: async (): Promise<Engine> => ({ name: 'wasm', device: 'CPU', gpu: false }),
}));

const built = (cuda: boolean): TensorflowSearch => ({
  available: true,
  binding: '/binding',
  record: { tensorflow: '2.21.0', libraries: '/libraries', cuda, platform: 'linux-x64' },
});
const notBuilt: TensorflowSearch = { available: false, reason: 'not built', remedy: 'build it' };
const adapter = (device: string, software: boolean): WebgpuSearch => ({
  available: true,
  deno: '/deno',
  device,
  software,
});

async function chosen(): Promise<string> {
  const lines: string[] = [];
  await startEngine('auto', (line) => lines.push(line));
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

describe('auto', () => {
  beforeEach(() => {
    Object.assign(machine, {
      tensorflow: notBuilt,
      webgpu: adapter('Radeon B', false),
      cuda: false,
    });
  });

  it('takes TensorFlow first where it has a GPU', async () => {
    Object.assign(machine, { tensorflow: built(true), cuda: true });
    expect(await chosen()).toContain('tensorflow on NVIDIA A');
  });

  it.each([
    ['is not built', notBuilt],
    ['is built for the CPU', built(false)],
    ['is built for CUDA, which finds no GPU', built(true)],
  ])('goes on in Deno for a GPU where TensorFlow %s', async (_, tensorflow) => {
    Object.assign(machine, { tensorflow });
    await expect(chosen()).rejects.toThrow(NeedsDeno);
  });

  it('does not take a software adapter for a GPU', async () => {
    Object.assign(machine, { tensorflow: built(false), webgpu: adapter('llvmpipe', true) });
    expect(await chosen()).toBe(
      'engine: tensorflow on CPU (no GPU: WebGPU has only llvmpipe; one is far faster)',
    );
  });

  it('ends with wasm, and says how to get a faster one', async () => {
    machine.webgpu = { available: false, reason: 'WebGPU finds no adapter', remedy: 'a driver' };
    const line = await chosen();
    expect(line).toContain('wasm on CPU (no GPU: WebGPU finds no adapter');
    expect(line).toContain('build it');
  });
});
