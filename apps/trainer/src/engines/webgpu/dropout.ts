import { product } from '@killme/model';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { runShader, type Shader, type WebGPUBackend } from './program.ts';

/** Philox-4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405): four words for each counter. */
const PHILOX = `
  fn highProduct(a : u32, b : u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
  }
  fn philox(start : vec4<u32>, firstKey : vec2<u32>) -> vec4<u32> {
    var counter = start;
    var key = firstKey;
    for (var i = 0; i < 10; i++) {
      counter = vec4<u32>(
        highProduct(0xCD9E8D57u, counter.z) ^ counter.y ^ key.x, 0xCD9E8D57u * counter.z,
        highProduct(0xD2511F53u, counter.x) ^ counter.w ^ key.y, 0xD2511F53u * counter.x);
      key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
  }
`;

/** Entries of the mask that one counter serves: two of each word. */
const ENTRIES = 8;

const DROPOUT_MASK: Shader = {
  name: 'dropoutMask',
  declarations: PHILOX,
  body: `
    let counter = vec4<u32>(u32(index), 0u, u32(key[2]), u32(key[3]));
    let words = philox(counter, vec2<u32>(u32(key[0]), u32(key[1])));
    for (var i = 0; i < ${ENTRIES}; i++) {
      let half = (words[i / 2] >> (16u * u32(i % 2))) & 0xffffu;
      let at = index * ${ENTRIES} + i;
      if (at < uniforms.size) { result[at] = select(uniforms.kept, 0.0, half < uniforms.threshold); }
    }`,
};

/**
 * The `DropoutMask` kernel, sampled on the device: 0 with probability `rate` (kept to 1/65536), else
 * 1 / (1 − rate). Philox's key and the upper half of its counter are the four words of `key`, so equal keys give equal masks on every GPU.
 */
export function dropoutMask(
  backend: WebGPUBackend,
  { shape, rate, key }: { shape: number[]; rate: number; key: TensorInfo },
): TensorInfo {
  const size = product(shape);
  return runShader(backend, DROPOUT_MASK, {
    inputs: { key },
    shape,
    threads: Math.ceil(size / ENTRIES),
    uniforms: {
      threshold: { u32: Math.round(rate * 65536) },
      kept: { f32: 1 / (1 - rate) },
      size: { i32: size },
    },
  });
}
