/**
 * Curves for the report: thinned out so that 200,000 iterations are shown as fast as 3, and smoothed.
 * Everything here is plain numbers and strings.
 *
 * @module
 */

/** Iterations that are shown one by one behind each curve; of more, only where they lie. */
export const MOST_RAW_POINTS = 2_000;
const MOST_STRETCHES = 100;
/** Points of a smoothed curve. */
const MOST_SMOOTH_POINTS = 800;
/** An old value counts half after this share of all iterations: a curve moves over a twentieth. */
const SMOOTHING_HALF_LIFE = 0.01;

/** `[x, y]` of each point. */
export type Curve = [number, number][];

/**
 * The exponential average of all values before and at each one, started without the bias towards
 * zero (as Adam's moments are). What is no finite number is passed over.
 */
export function smooth(values: Float64Array): Float64Array {
  const keep = 0.5 ** (1 / Math.max(0.05, values.length * SMOOTHING_HALF_LIFE));
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    if (Number.isFinite(value)) {
      sum = keep * sum + (1 - keep) * value;
      weight = keep * weight + (1 - keep);
    }
    return sum / weight;
  });
}

/**
 * Where nine in ten values lie in each stretch of iterations: from the twentieth part from below to
 * that from above. A line through the extremes of long stretches would hide all that is between.
 */
export function spread(
  values: Float64Array,
  stretches = MOST_STRETCHES,
): { low: Curve; high: Curve } {
  const length = Math.max(1, Math.ceil(values.length / stretches));
  const [low, high]: [Curve, Curve] = [[], []];
  for (let from = 0; from < values.length; from += length) {
    const stretch = values.subarray(from, from + length);
    const middle = from + (stretch.length - 1) / 2;
    const [below, above] = [quantile(stretch, 0.05), quantile(stretch, 0.95)];
    if (below === undefined || above === undefined) continue;
    low.push([middle, below]);
    high.push([middle, above]);
  }
  return { low, high };
}

/** At most `most` indices from 0 to `count - 1`, evenly spread, the first and the last among them. */
export function evenIndices(count: number, most = MOST_SMOOTH_POINTS): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}

/**
 * Like {@link evenIndices}, but a growing row keeps its choices as long as it can: every index, then
 * every second, every fourth … and always the last.
 */
export function steadyIndices(count: number, most: number): number[] {
  let step = 1;
  while (Math.ceil((count - 1) / step) + 1 > most) step *= 2;
  return Array.from({ length: count }, (_, i) => i).filter(
    (i) => i % step === 0 || i === count - 1,
  );
}

/** Round numbers from 0 to at least `max`, about `about` steps of 1, 2 or 5 times a power of ten. */
export function ticks(max: number, about: number): number[] {
  if (!(max > 0)) return [0];
  const power = 10 ** Math.floor(Math.log10(max / about));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((s) => max / s <= about)!;
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, i) => i * step);
}

/**
 * How high a chart must be: all of the smoothed curves but a spike (their highest hundredth), and
 * all of the raw values unless that would flatten the curves to less than half.
 */
export function chartTop(raw: readonly Float64Array[], smoothed: readonly Float64Array[]): number {
  const highest = Math.max(...raw.map(largest));
  const curves = Math.max(...smoothed.map((values) => quantile(values, 0.99) ?? 0));
  return Math.min(highest, 2 * curves) || 1;
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, value) : most), 0);
}

function quantile(values: Float64Array, share: number): number | undefined {
  const sorted = values.filter(Number.isFinite).sort();
  return sorted[Math.round(share * (sorted.length - 1))];
}

/** The path of an SVG line through the points, in a square of 1000×1000 with `[0, 0]` at the lower left. */
export function curvePath(curve: Curve, right: number, top: number): string {
  const points = curve.map(([x, y]) => {
    const across = (1000 * x) / right;
    const down = 1000 - (1000 * y) / top;
    return `${across.toFixed(1)} ${down.toFixed(1)}`;
  });
  if (points.length === 1) points.push(points[0]!); // one point shows nothing, a line to itself a dot
  return points.length === 0 ? '' : `M${points.join('L')}`;
}

/** What lies behind a smoothed curve, as the path of a line (few values) or of an area (many). */
export function rawPath(
  values: Float64Array,
  right: number,
  top: number,
): { kind: 'line' | 'area'; path: string } {
  if (values.length <= MOST_RAW_POINTS) {
    const all = [...values].map((value, i): [number, number] => [i, value]);
    const finite = all.filter(([, value]) => Number.isFinite(value));
    return { kind: 'line', path: curvePath(finite, right, top) };
  }
  const { low, high } = spread(values);
  return { kind: 'area', path: `${curvePath([...high, ...low.reverse()], right, top)}Z` };
}
