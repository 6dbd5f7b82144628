/**
 * ONNX operators as our layers (https://onnx.ai/onnx/operators).
 *
 * @module
 */

import { ARITHMETIC_OPERATORS } from './arithmetic.ts';
import { CONSTANT_OPERATORS } from './constants.ts';
import { CONVOLUTION_OPERATORS } from './convolution.ts';
import { DENSE_OPERATORS } from './dense.ts';
import { NORMALIZATION_OPERATORS } from './normalization.ts';
import { PLACEMENT_OPERATORS } from './placement.ts';
import { POINTWISE_OPERATORS } from './pointwise.ts';
import type { Operators } from './reading.ts';

export const OPERATORS: Operators = {
  ...CONSTANT_OPERATORS,
  ...DENSE_OPERATORS,
  ...CONVOLUTION_OPERATORS,
  ...NORMALIZATION_OPERATORS,
  ...POINTWISE_OPERATORS,
  ...ARITHMETIC_OPERATORS,
  ...PLACEMENT_OPERATORS,
};
