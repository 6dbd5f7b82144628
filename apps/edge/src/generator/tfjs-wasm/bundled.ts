/**
 * tfjs's wasm backend for bundlers (workerd, browsers): only the kernels that the inference graph
 * of packages/model runs. A kernel that is missing here fails loudly: "Kernel 'X' not registered
 * for backend 'wasm'".
 *
 * @module
 */

import { addConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Add.js';
import { batchMatMulConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/BatchMatMul.js';
import { concatConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Concat.js';
import { fusedConv2DConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/FusedConv2D.js';
import { identityConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Identity.js';
import { leakyReluConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/LeakyRelu.js';
import { multiplyConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Multiply.js';
import { packConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Pack.js';
import { reluConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Relu.js';
import { reshapeConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Reshape.js';
import { sigmoidConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Sigmoid.js';
import { tanhConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Tanh.js';
import { unpackConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Unpack.js';
import { registerKernel } from '@tensorflow/tfjs-core';

export { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js';
export { default as emscriptenFactory } from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js';

for (const kernel of [
  addConfig,
  batchMatMulConfig,
  concatConfig,
  fusedConv2DConfig,
  identityConfig,
  leakyReluConfig,
  multiplyConfig,
  packConfig,
  reluConfig,
  reshapeConfig,
  sigmoidConfig,
  tanhConfig,
  unpackConfig,
]) {
  registerKernel(kernel);
}
