import type { QualityHistory } from '../quality/quality-file.ts';
import type { MetricsHistory } from '../run/metrics.ts';
import {
  chartTop,
  curvePath,
  evenIndices,
  MOST_RAW_POINTS,
  rawPath,
  smooth,
  ticks,
} from './chart.ts';
import { type Html, html, jsonScript } from './html.ts';

interface Line {
  /** Names its colour in the style sheet. */
  key: 'real' | 'fake' | 'mean' | 'generator';
  label: string;
  values: Float64Array;
}

interface Chart {
  id: string;
  title: string;
  about: string;
  lines: Line[];
  /** The iteration of each value; without it there is a value for every one, and curves are smoothed. */
  iterations?: Float64Array;
  /** Height of the chart; worked out from the lines when omitted. */
  top?: number;
  format: (value: number) => string;
  /** A value that means something by itself. */
  guide?: { at: number; label: string } | undefined;
}

const X_TICKS = 5;
const Y_TICKS = 5;

/** How good a run's images were, where it has been measured. */
export function qualityCharts(history: QualityHistory): Html {
  const { iteration: iterations, kernelDistance, precision, recall, coverage } = history;
  const last = (values: Float64Array) => values.at(-1) ?? 0;
  const shown = (value: number) => value.toFixed(2);
  return html`<div class="charts">${[
    chart({
      id: 'kernel-distance',
      title: 'rKID',
      about:
        'How far the made images are from the real ones, in features of a fixed random network. ' +
        'Real images held out are at 0, but for chance; what lies below is shown at 0.',
      lines: [
        { key: 'generator', label: 'made', values: kernelDistance.map((v) => Math.max(0, v)) },
      ],
      iterations,
      // A generator that has learnt nothing is thousands away: the chart shows the later half whole.
      top: 1.1 * Math.max(0.1, ...kernelDistance.slice(kernelDistance.length >> 1)),
      format: shown,
    }),
    chart({
      id: 'coverage',
      title: 'Precision, recall, coverage',
      about:
        'Share of made images that look like a real one; of real ones that look like a made one; ' +
        `of real ones with a made one near. Real images held out reach ${shown(last(history.precisionFloor))}, ` +
        `${shown(last(history.recallFloor))} and ${shown(last(history.coverageFloor))}.`,
      lines: [
        { key: 'real', label: 'precision', values: precision },
        { key: 'fake', label: 'recall', values: recall },
        { key: 'generator', label: 'coverage', values: coverage },
      ],
      iterations,
      top: 1,
      format: shown,
    }),
    chart({
      id: 'parts',
      title: 'Parts',
      about:
        'How far the worst of 8×8 parts of the made images are from the same parts of real ones: faults of a ' +
        `mouth or an eye. Real images held out are at ${shown(last(history.partsFloor))}.`,
      lines: [{ key: 'generator', label: 'made', values: history.parts }],
      iterations,
      // Runs from before 2026-11-29 have none at first.
      top: 1.1 * Math.max(0.1, ...history.parts.filter(Number.isFinite)),
      format: shown,
    }),
    chart({
      id: 'walks',
      title: 'Half way, and clouds',
      about:
        'Precision and coverage of the images half way between random seeds, of two classes where there ' +
        'are some; and the share of seeds with patches of other colours in the background.',
      lines: [
        { key: 'real', label: 'precision', values: history.walkPrecision },
        { key: 'generator', label: 'coverage', values: history.walkCoverage },
        { key: 'fake', label: 'clouds', values: history.clouds },
      ],
      iterations,
      top: 1,
      format: shown,
    }),
  ]}</div>`;
}

/** The loss curves and the accuracy curves of a run. */
export function trainingCharts(history: MetricsHistory): Html {
  const { realLoss, fakeLoss, generatorLoss, realAccuracy, fakeAccuracy, reconstructionLoss } =
    history;
  const short = (value: number) => String(Number(value.toPrecision(3)));
  const percent = (value: number) => `${Math.round(100 * value)} %`;
  return html`<div class="charts">${[
    chart({
      id: 'discriminator-loss',
      title: 'Loss of D',
      about:
        'How far D is from telling real images from made ones. Near 0, G learns nothing from it.',
      lines: [
        { key: 'real', label: 'real', values: realLoss },
        { key: 'fake', label: 'made', values: fakeLoss },
        { key: 'mean', label: 'mean', values: meanOf(realLoss, fakeLoss) },
      ],
      format: short,
      guide: { at: Math.LN2, label: 'a coin’s: ln 2' },
    }),
    chart({
      id: 'generator-loss',
      title: 'Loss of G',
      about: 'How far G is from being taken for real. It is no measure of quality: D learns too.',
      lines: [{ key: 'generator', label: 'G', values: generatorLoss }],
      format: short,
      guide: { at: Math.LN2, label: 'when D is a coin: ln 2' },
    }),
    chart({
      id: 'accuracy',
      title: 'Accuracy of D',
      about: 'Share of the real and of the made images that D takes for what they are.',
      lines: [
        { key: 'real', label: 'real', values: realAccuracy },
        { key: 'fake', label: 'made', values: fakeAccuracy },
        { key: 'mean', label: 'mean', values: meanOf(realAccuracy, fakeAccuracy) },
      ],
      top: 1,
      format: percent,
      guide: { at: 0.5, label: 'a coin’s: half' },
    }),
    ...(reconstructionLoss.some(Number.isFinite)
      ? [
          chart({
            id: 'reconstruction-loss',
            title: 'Reconstruction loss',
            about:
              'Of G and the encoder, and the only loss in the warm-up: the mean absolute difference ' +
              'between real images and their reconstructions, summed over bands of detail.',
            lines: [{ key: 'generator', label: 'G', values: reconstructionLoss }],
            format: short,
          }),
        ]
      : []),
  ]}</div>`;
}

const meanOf = (a: Float64Array, b: Float64Array) => a.map((value, i) => (value + b[i]!) / 2);

function chart(given: Chart): Html {
  const { id, title, about, lines, iterations, format, guide } = given;
  const plot = layOut(given);
  const { smoothed, top, right, at, indices } = plot;
  return html`
<figure class="chart" data-chart="${id}">
  <figcaption><h3>${title}</h3><p>${about} ${peakNote(lines, top, format, at)}</p></figcaption>
  <ul class="legend">${lines.map(
    ({ key, label }, i) => html`
    <li class="${key}"><i></i>${label} <b data-line="${i}">${
      Number.isFinite(smoothed[i]!.at(-1)) ? format(smoothed[i]!.at(-1)!) : '–'
    }</b></li>`,
  )}
  </ul>
  <div class="plot">
    ${axes(plot, format)}
    <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="${title}, ${plot.count} ${iterations ? 'measurements' : 'iterations'}">
      ${curves(given, plot)}
    </svg>
    ${
      guide && guide.at < top
        ? html`<span class="guide-label" style="bottom:${percentOf(guide.at, top)}">${guide.label}</span>`
        : []
    }
    <span class="at" hidden></span>
  </div>
  ${jsonScript(`${id}-curves`, {
    right,
    percent: format(0).endsWith('%'),
    iterations: indices.map(at),
    lines: smoothed.map((values) => indices.map((i) => Number(values[i]!.toPrecision(3)))),
  })}
</figure>`;
}

/** What a chart shows of its lines, and how far its axes reach. */
function layOut({ lines, iterations, top: fixedTop }: Chart) {
  const raw = lines.map(({ values }) => values);
  const smoothed = iterations ? raw : raw.map(smooth);
  const yTicks = ticks(fixedTop ?? chartTop(raw, smoothed), Y_TICKS);
  const count = raw[0]!.length;
  const at = (i: number) => (iterations ? iterations[i]! : i);
  return {
    smoothed,
    count,
    /** The iteration of a value. */
    at,
    /** Of the values that are shown. */
    indices: evenIndices(count),
    yTicks,
    top: yTicks.at(-1)!,
    right: Math.max(1, at(count - 1)),
  };
}

type Plot = ReturnType<typeof layOut>;

const axes = ({ yTicks, top, right }: Plot, format: Chart['format']): Html[] => [
  ...yTicks.map(
    (value) =>
      html`<span class="y" style="bottom:${percentOf(value, top)}">${format(value)}</span>`,
  ),
  ...ticks(right, X_TICKS)
    .filter((value) => value <= right && Number.isInteger(value))
    .map(
      (value) =>
        html`<span class="x" style="left:${percentOf(value, right)}">${wholeNumber(value)}</span>`,
    ),
];

/** In the view box of 1000 × 1000: grid lines, single values, the guide, and the lines over them. */
function curves({ lines, iterations, guide }: Chart, plot: Plot): Html[] {
  const { smoothed, yTicks, top, right, indices, at } = plot;
  const height = (value: number) => 1000 - (1000 * value) / top;
  const points = (values: Float64Array) =>
    indices.map((i): [number, number] => [at(i), values[i]!]).filter(([, y]) => Number.isFinite(y));
  const single = iterations ? [] : lines.filter(({ key }) => key !== 'mean');
  return [
    html`<path class="gridlines" d="${yTicks.map((value) => `M0 ${height(value)}H1000`).join('')}"/>`,
    ...single.map(({ key, values }) => {
      const { kind, path } = rawPath(values, right, top);
      return html`<path class="raw ${kind} ${key}" d="${path}"/>`;
    }),
    ...(guide && guide.at < top
      ? [html`<path class="guide" d="M0 ${height(guide.at)}H1000"/>`]
      : []),
    ...lines.map(
      ({ key }, i) =>
        html`<path class="curve ${key}" d="${curvePath(points(smoothed[i]!), right, top)}"/>`,
    ),
  ];
}

/** Says what a chart cuts off at its top. */
function peakNote(
  lines: readonly Line[],
  top: number,
  format: Chart['format'],
  at: (index: number) => number,
): string {
  let peak = { value: top, label: '', iteration: 0 };
  for (const { label, values } of lines) {
    values.forEach((value, i) => {
      if (value > peak.value) peak = { value, label, iteration: at(i) };
    });
  }
  if (peak.label === '') return '';
  const { value, label, iteration } = peak;
  const where = `${label}, iteration ${wholeNumber(iteration)}`;
  return `Cut off at ${format(top)}; the highest is ${format(value)} (${where}).`;
}

/** What the lines of the charts are, in words. */
export function chartKey(history: MetricsHistory): string {
  const many = history.seconds.length > MOST_RAW_POINTS;
  return `Lines are averages that forget half in 1 % of the run; behind them ${
    many ? 'the area in which nine in ten iterations lie' : 'every iteration’s own value'
  }. Point at a chart to read it; the upright line is the grid shown above.`;
}

const percentOf = (value: number, whole: number) => `${((100 * value) / whole).toFixed(2)}%`;

/** `12000` → `12,000`. */
export function wholeNumber(value: number): string {
  return value.toLocaleString('en-US');
}
