/**
 * Interpolation along one axis, as ONNX's Resize (version 18) and Keras's Resizing define it.
 *
 * @module
 */
import type { Coordinates } from '../networks/served-layers.ts';

interface Axis {
  from: number;
  to: number;
  method: 'nearest' | 'bilinear' | 'bicubic';
  coordinates: Coordinates;
}

/**
 * What each pixel of the resized axis takes of each of the original.
 * @returns `[to, from]`, flat; each row sums to 1.
 */
export function resizeMatrix({ from, to, method, coordinates }: Axis): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = placeOf(i, { from, to, coordinates });
    for (const [pixel, share] of TAPS[method](at, coordinates)) {
      // Beyond the border lies the pixel at the border.
      matrix[i * from + Math.min(from - 1, Math.max(0, pixel))]! += share;
    }
  }
  return matrix;
}

/** Where pixel `i` of the resized axis lies in the original. */
export function placeOf(i: number, { from, to, coordinates }: Omit<Axis, 'method'>): number {
  switch (coordinates) {
    case 'half_pixel':
      return ((i + 0.5) * from) / to - 0.5;
    case 'pytorch_half_pixel':
      return to > 1 ? ((i + 0.5) * from) / to - 0.5 : 0;
    case 'asymmetric':
      return (i * from) / to;
    case 'align_corners':
      return to > 1 ? (i * (from - 1)) / (to - 1) : 0;
  }
}

/** Of Keys's cubic convolution, as ONNX and PyTorch have it. */
const CUBIC = -0.75;

type Taps = (at: number, coordinates: Coordinates) => [pixel: number, share: number][];

const TAPS: Record<Axis['method'], Taps> = {
  // The pixel that the place lies in; a place counts from the middle of pixels only with half pixels.
  nearest: (at, coordinates) => [[Math.floor(coordinates === 'asymmetric' ? at : at + 0.5), 1]],
  bilinear: (at) => {
    const first = Math.floor(at);
    return [
      [first, 1 - (at - first)],
      [first + 1, at - first],
    ];
  },
  bicubic: (at) => {
    const first = Math.floor(at) - 1;
    return [0, 1, 2, 3].map((k) => [first + k, cubic(Math.abs(at - first - k))]);
  },
};

function cubic(x: number): number {
  if (x <= 1) return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  if (x < 2) return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC;
  return 0;
}
