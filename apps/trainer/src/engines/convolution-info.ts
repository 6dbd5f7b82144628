import * as tf from '@tensorflow/tfjs-core';

/**
 * What tfjs works out of the attributes of a kernel for convolutions.
 * @param shape of the image, `[n, height, width, channelsIn]`
 * @param filterShape `[height, width, channelsIn, channelsOut]`
 * @returns undefined where the filter is dilated or channels come first, which no kernel of ours takes.
 */
export function convolutionInfo(
  shape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dataFormat, dilations, dimRoundingMode }: tf.NamedAttrMap,
): tf.backend_util.Conv2DInfo | undefined {
  const info = tf.backend_util.computeConv2DInfo(
    shape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides as number | [number, number],
    (dilations ?? 1) as number | [number, number],
    pad as 'same' | 'valid',
    dimRoundingMode as 'floor' | undefined,
    false,
    tf.backend_util.convertConv2DDataFormat((dataFormat ?? 'NHWC') as 'NHWC'),
  );
  const dilated = info.dilationHeight > 1 || info.dilationWidth > 1;
  return dilated || info.dataFormat !== 'channelsLast' ? undefined : info;
}
