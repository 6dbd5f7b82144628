/** Cells along each side of a fingerprint. */
const SIDE = 16;

/**
 * Of 255 levels, in every cell and channel: a copy scaled to 150 pixels and saved as JPEG of quality
 * 60 differs by up to 10, another mouth in the same face by 30 and more.
 */
const MAX_LEVELS = 14;

/**
 * Groups of images that look alike, by a perceptual fingerprint: the mean colours of 16 × 16 cells
 * (block means as in Yang, Gu and Niu 2006, "Block Mean Value Based Image Perceptual Hashing").
 * Copies that were scaled or compressed anew fall into one group.
 * @param images each `[size, size, 3]`, RGB, 0 … 255.
 * @returns indices, ascending; only groups of two and more.
 */
export function findNearDuplicates(images: readonly Uint8Array[], size: number): number[][] {
  const fingerprints = images.map((pixels) => cellMeans(pixels, size));
  const parent = images.map((_, i) => i);
  const rootOf = (i: number): number => (parent[i] === i ? i : rootOf(parent[i]!));
  for (let i = 0; i < fingerprints.length; i++) {
    for (let j = 0; j < i; j++) {
      if (areAlike(fingerprints[i]!, fingerprints[j]!)) parent[rootOf(i)] = rootOf(j);
    }
  }
  const groups = Map.groupBy(parent.keys(), rootOf);
  return [...groups.values()].filter((group) => group.length > 1);
}

function areAlike(a: Float32Array, b: Float32Array): boolean {
  for (let i = 0; i < a.length; i++) if (Math.abs(a[i]! - b[i]!) > MAX_LEVELS) return false;
  return true;
}

/** `[16, 16, 3]`. */
function cellMeans(pixels: Uint8Array, size: number): Float32Array {
  const means = new Float32Array(SIDE * SIDE * 3);
  const area = (size / SIDE) ** 2;
  for (let y = 0; y < size; y++) {
    const row = Math.floor((y * SIDE) / size);
    for (let x = 0; x < size; x++) {
      const cell = (row * SIDE + Math.floor((x * SIDE) / size)) * 3;
      const at = (y * size + x) * 3;
      for (let c = 0; c < 3; c++) means[cell + c]! += pixels[at + c]! / area;
    }
  }
  return means;
}
