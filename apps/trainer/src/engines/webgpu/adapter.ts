/**
 * Which WebGPU adapter there is, found without loading tfjs. Node has no WebGPU, so there the bundled
 * Deno is asked, in a child process of about 0.2 s.
 *
 * @module
 */
import { resolve } from 'node:path';
import { findDeno, inDeno, runInDeno } from '../deno.ts';

/** What WebGPU says of an adapter. */
export interface WebgpuAdapter {
  /** `NVIDIA H100 80GB HBM3` */
  device: string;
  /** Whether it only pretends to be a GPU: Mesa's llvmpipe (lavapipe), SwiftShader, WARP. */
  software: boolean;
}

export type WebgpuSearch =
  | ({ available: true; deno: string | undefined } & WebgpuAdapter)
  | { available: false; reason: string; remedy: string };

/** The part of `navigator.gpu` that is read here. */
interface AdapterInfo {
  description: string;
  device: string;
  vendor: string;
  isFallbackAdapter?: boolean;
}

interface Gpu {
  requestAdapter(options: {
    powerPreference: 'high-performance';
  }): Promise<{ info: AdapterInfo } | null>;
}

const SOFTWARE = /llvmpipe|lavapipe|softpipe|swiftshader|basic render|warp/i;

/** Asks this runtime. Undefined where it has no WebGPU or finds no adapter. */
export async function readAdapter(): Promise<WebgpuAdapter | undefined> {
  const { gpu } = navigator as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return undefined;
  const { description, device, vendor, isFallbackAdapter } = adapter.info;
  const name = description || [vendor, device].filter(Boolean).join(' ') || 'a GPU without a name';
  return { device: name, software: isFallbackAdapter === true || SOFTWARE.test(name) };
}

/** Looks for a WebGPU adapter that `startWebgpu` can use, and says what is missing if there is none. */
export async function findWebgpu(): Promise<WebgpuSearch> {
  const deno = inDeno ? undefined : findDeno();
  if (!inDeno && !deno) {
    return {
      available: false,
      reason: 'the package deno has no program for this machine, and Node has no WebGPU',
      remedy: 'npm install --include=optional',
    };
  }
  const adapter = deno ? await askDeno(deno) : await readAdapter();
  if (adapter) return { available: true, deno, ...adapter };
  return {
    available: false,
    reason: 'WebGPU finds no adapter',
    remedy:
      process.platform === 'linux'
        ? "install libvulkan1 and the GPU's Vulkan driver (NVIDIA containers: NVIDIA_DRIVER_CAPABILITIES=all)"
        : "update the GPU's driver",
  };
}

async function askDeno(deno: string): Promise<WebgpuAdapter | undefined> {
  try {
    const printed = await runInDeno(deno, resolve(import.meta.dirname, 'probe.ts'));
    return (JSON.parse(printed) as WebgpuAdapter | null) ?? undefined;
  } catch {
    return undefined; // A driver that crashes when it is asked is none.
  }
}
