/**
 * An int8 model of a generator, by onnxruntime's own quantization tool, which is in Python.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { UserError } from '@killme/model';

const SCRIPT = fileURLToPath(new URL('../../../test/reference/quantize_onnx.py', import.meta.url));

/**
 * @param model an ONNX file in float32
 * @param options.python that has onnxruntime and onnx
 * @param options.latents which the ranges of activations are measured with
 * @returns the ONNX file in int8.
 * @throws UserError when Python cannot run it.
 */
export async function quantizeOnnx(
  model: Uint8Array,
  { python, latents }: { python: string; latents: readonly Float32Array[] },
): Promise<Uint8Array> {
  const folder = await mkdtemp(`${tmpdir()}/killme-int8-`);
  try {
    await writeFile(`${folder}/model.onnx`, model);
    const size = latents[0]!.length;
    const all = new Float32Array(latents.length * size);
    for (const [i, latent] of latents.entries()) all.set(latent, i * size);
    await writeFile(`${folder}/latents.f32`, new Uint8Array(all.buffer));
    await promisify(execFile)(python, [
      SCRIPT,
      ...['model.onnx', 'int8.onnx', 'latents.f32'].map((name) => `${folder}/${name}`),
      String(size),
    ]);
    return new Uint8Array(await readFile(`${folder}/int8.onnx`));
  } catch (error) {
    const [reason = ''] = String(error).split('\n').filter(Boolean).slice(-1);
    throw new UserError(`--python ${python} cannot quantize the model: ${reason}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
