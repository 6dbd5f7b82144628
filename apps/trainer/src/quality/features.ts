/** Feature vectors of images, one row each: `[count, size]`. */
export interface Features {
  count: number;
  size: number;
  values: Float32Array;
}

/** The rows from `start`, `count` of them; shares the memory. */
export function rows({ size, values }: Features, start: number, count: number): Features {
  return { count, size, values: values.subarray(start * size, (start + count) * size) };
}

/** The rows at the given places, in the given order. */
export function takeRows({ size, values }: Features, places: ArrayLike<number>): Features {
  const taken = new Float32Array(places.length * size);
  for (let i = 0; i < places.length; i++) {
    taken.set(values.subarray(places[i]! * size, (places[i]! + 1) * size), i * size);
  }
  return { count: places.length, size, values: taken };
}

/**
 * Makes what gives every feature mean 0 and deviation 1 over a reference set, so that none counts more
 * for its units. A feature that never changes there is omitted from every set (it becomes 0).
 */
export function standardizer(reference: Features): (features: Features) => Features {
  const { count, size, values } = reference;
  const mean = new Float64Array(size);
  const scale = new Float64Array(size);
  for (let i = 0; i < values.length; i++) mean[i % size]! += values[i]! / count;
  for (let i = 0; i < values.length; i++) scale[i % size]! += (values[i]! - mean[i % size]!) ** 2;
  for (let f = 0; f < size; f++) {
    const deviation = Math.sqrt(scale[f]! / count);
    scale[f] = deviation > 1e-6 * Math.abs(mean[f]!) ? 1 / deviation : 0;
  }
  return (features) => ({
    ...features,
    values: features.values.map((value, i) => (value - mean[i % size]!) * scale[i % size]!),
  });
}

/** Squared Euclidean distances of every row of `a` to every row of `b`: `[a.count, b.count]`. */
export function squaredDistances(a: Features, b: Features): Float64Array {
  const { size } = a;
  const distances = new Float64Array(a.count * b.count);
  for (let i = 0; i < a.count; i++) {
    for (let j = 0; j < b.count; j++) {
      let sum = 0;
      for (let f = 0; f < size; f++) {
        const difference = a.values[i * size + f]! - b.values[j * size + f]!;
        sum += difference * difference;
      }
      distances[i * b.count + j] = sum;
    }
  }
  return distances;
}
