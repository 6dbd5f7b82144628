import type { Preset } from '@killme/model/training';
import type { QualityHistory } from '../quality/quality-file.ts';
import type { MetricsHistory } from '../run/metrics.ts';
import { formatDuration } from '../run/progress.ts';
import type { RunRecord } from '../run/record.ts';
import { chartKey, qualityCharts, trainingCharts, wholeNumber } from './figures.ts';
import { type Html, html } from './html.ts';

/** Iterations that the pace of a run is taken from. */
const PACE_ITERATIONS = 100;

/** One grid and one strip, as data URIs. */
export interface ReportSample {
  iteration: number;
  grid: string;
  strip: string;
}

/** All that a report shows. */
export interface ReportContent {
  record: RunRecord;
  preset: Preset;
  history: MetricsHistory;
  quality: QualityHistory;
  /** In order; the last is the newest. */
  samples: readonly ReportSample[];
  /** How many there are in the run's folder, of which `samples` is a choice. */
  sampleCount: number;
  written: Date;
  /** The credit that the licence of the dataset asks for. */
  credit?: string | undefined;
  style: string;
  script: string;
}

/** The whole page: one file, with no request to anywhere. */
export function reportPage(content: ReportContent): string {
  const { record, samples, style, script } = content;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${record.options.name} – Killme</title>
<link rel="icon" href="data:,">
<style>${{ html: style }}</style>
</head>
<body>
${pageHeader(content)}
${samples.length === 0 ? [] : gridsSection(content)}
<section>
  <h2>Curves</h2>
  ${trainingCharts(content.history)}
  <p class="quiet">${chartKey(content.history)}</p>
</section>
${content.quality.iteration.length === 0 ? [] : qualitySection(content.quality)}
${samples.length === 0 ? [] : stripsSection(samples, content.preset.imageSize)}
${settingsSection(content)}
<script>${{ html: script }}</script>
</body>
</html>
`.html;
}

function pageHeader({ record, history, written }: ReportContent): Html {
  const { options, dataset, engines } = record;
  const done = history.seconds.length;
  const spent = history.seconds.reduce((sum, seconds) => sum + seconds, 0);
  const recent = history.seconds.slice(-PACE_ITERATIONS);
  const pace = recent.reduce((sum, seconds) => sum + seconds, 0) / recent.length;
  const left = pace * (options.iterations - done);
  const finished = done >= options.iterations;
  const share = (100 * done) / options.iterations;
  const time = written.toISOString().slice(0, 16).replace('T', ' ');
  return html`
<header>
  <p class="brand">Killme · training run</p>
  <h1>${options.name}</h1>
  <p>Preset <b>${options.preset}</b> on <b>${wholeNumber(dataset.count)}</b> images of
    <b>${dataset.name}</b>. ${finished ? 'Finished' : 'Newest state'}: iteration
    <b>${wholeNumber(done)}</b>, ${time} UTC.${finished ? '' : ' Load again for a newer one.'}</p>
  <div class="progress" role="img" aria-label="${share.toFixed(0)} % done"><i style="width:${share.toFixed(2)}%"></i></div>
  <dl class="facts">
    <div><dt>Iterations</dt><dd>${wholeNumber(done)} <small>of ${wholeNumber(options.iterations)}</small></dd></div>
    <div><dt>Seconds an iteration</dt><dd>${done === 0 ? '–' : Number(pace.toPrecision(3))}</dd></div>
    <div><dt>Trained for</dt><dd>${formatDuration(spent)}</dd></div>
    <div><dt>${finished ? 'Left' : 'Left, at this pace'}</dt><dd>${done === 0 ? '–' : formatDuration(left)}
      ${finished || done === 0 ? [] : html`<small>of ${formatDuration(spent + left)}</small>`}</dd></div>
    <div class="wide"><dt>${engines.length > 1 ? 'Engines, in order' : 'Engine'}</dt><dd class="words">${engines.join(', then ')}</dd></div>
  </dl>
</header>`;
}

function gridsSection({ samples, sampleCount }: ReportContent): Html {
  const last = samples.length - 1;
  const chosen =
    sampleCount === samples.length
      ? ''
      : ` ${samples.length} of the run’s ${wholeNumber(sampleCount)} grids are shown; all are in its folder samples/.`;
  return html`
<section id="grids">
  <h2>The same 25 latents over time</h2>
  <p class="quiet">Each place in the grid is one latent all through the run: watch how a face becomes
    itself.${chosen}</p>
  <div class="viewer">
    <figure class="stage">
      ${samples.map(
        ({ iteration, grid }, i) =>
          html`<img src="${grid}" data-iteration="${iteration}" alt="25 images at iteration ${iteration}" width="640" height="640"${i === last ? [] : html` hidden`}>
      `,
      )}
      <figcaption>
        <output for="time"><b>Iteration ${wholeNumber(samples[last]!.iteration)}</b> <span class="badge">newest</span></output>
        <div class="controls">
          <button type="button" id="play" aria-label="Play"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 2l10 6-10 6z"/></svg></button>
          <input type="range" id="time" min="0" max="${last}" value="${last}" step="1" aria-label="Grid"${last === 0 ? html` disabled` : []}>
        </div>
        <p class="quiet keys"><kbd>←</kbd> <kbd>→</kbd> step, <kbd>Home</kbd> <kbd>End</kbd> first and newest, <kbd>Space</kbd> play</p>
      </figcaption>
    </figure>
    <div class="thumbs" aria-label="All grids"></div>
  </div>
</section>`;
}

function qualitySection(history: QualityHistory): Html {
  return html`
<section>
  <h2>Quality</h2>
  ${qualityCharts(history)}
  <p class="quiet">256 images of fixed latents against half of the real ones; for all figures, and for
    finer ones: npm run metrics.</p>
</section>`;
}

function stripsSection(samples: readonly ReportSample[], imageSize: number): Html {
  const last = samples.length - 1;
  return html`
<section>
  <h2>From one latent to another, over time</h2>
  <p class="quiet">Ten even steps on the line between the first two latents of the grid, as in the
    article: oldest on top, the newest last.</p>
  <ol class="strips">${samples.map(
    ({ iteration, strip }, i) => html`
    <li><span>${wholeNumber(iteration)}${i === last ? html` <b class="badge">newest</b>` : []}</span>
      <img src="${strip}" alt="10 images at iteration ${iteration}" width="${10 * imageSize}" height="${imageSize}"></li>`,
  )}
  </ol>
</section>`;
}

function settingsSection({ record, preset, credit }: ReportContent): Html {
  const { options, dataset } = record;
  const { training, latent, imageSize } = preset;
  const rows = (entries: [string, string | number][]) =>
    entries.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`);
  return html`
<section class="tables">
  <div>
    <h2>Settings</h2>
    <table>${rows([
      ['preset', options.preset],
      ['iterations', wholeNumber(options.iterations)],
      ['batch', options.batch],
      ['seed', options.seed],
      ['backend asked for', options.backend],
      ['grid and strip every', `${wholeNumber(options.sampleEvery)} iterations`],
      [
        'quality measured every',
        options.measureEvery > 0 ? `${wholeNumber(options.measureEvery)} iterations` : 'never',
      ],
      ['checkpoint every', `${wholeNumber(options.saveEvery)} iterations`],
      [
        'Adam',
        `learning rate ${training.learningRate}, β₁ ${training.beta1}, β₂ ${training.beta2}`,
      ],
      ['latent', `${latent.size} numbers, ${latent.distribution}`],
      ['image', `${imageSize} × ${imageSize}, RGB`],
      ['weights', `${parameters(preset.generator)} in G, ${parameters(preset.discriminator)} in D`],
    ])}</table>
  </div>
  <div>
    <h2>Dataset</h2>
    <table>${rows([
      ['name', dataset.name],
      ['from', options.data ?? 'the stand-in characters'],
      ['images', wholeNumber(dataset.count)],
      ['classes', dataset.classes.join(', ')],
      ['fingerprint', dataset.fingerprint],
    ])}</table>
    ${credit ? html`<p class="quiet">${credit}</p>` : []}
  </div>
</section>`;
}

function parameters({ weights }: Preset['generator']): string {
  const count = weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return wholeNumber(count);
}
