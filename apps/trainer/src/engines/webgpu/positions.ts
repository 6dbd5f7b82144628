/**
 * The positions of a convolution's output in WGSL, and what is read of the image at each.
 *
 * @module
 */
import type * as tf from '@tensorflow/tfjs-core';

/** The uniforms of what is below. */
export const positionUniforms = ({
  inHeight,
  inWidth,
  outHeight,
  outWidth,
  padInfo,
  strideHeight,
}: tf.backend_util.Conv2DInfo) => ({
  ...{ inHeight, inWidth, outHeight, outWidth },
  ...{ padTop: padInfo.top, padLeft: padInfo.left, stride: strideHeight },
});

/** Declares `image`, `outRow` and `outColumn` of a position. */
export const startAt = (position: string): string => `
  var image = ${position} / (uniforms.outHeight * uniforms.outWidth);
  var outRow = (${position} / uniforms.outWidth) % uniforms.outHeight;
  var outColumn = ${position} % uniforms.outWidth;`;

/** Takes them to the next position. */
export const ADVANCE = `
  outColumn++;
  if (outColumn == uniforms.outWidth) {
    outColumn = 0;
    outRow++;
    if (outRow == uniforms.outHeight) {
      outRow = 0;
      image++;
    }
  }`;

/** Whether a pixel lies on the image. */
export const onImage = (y: string, x: string): string =>
  `${y} >= 0 && ${y} < uniforms.inHeight && ${x} >= 0 && ${x} < uniforms.inWidth`;
