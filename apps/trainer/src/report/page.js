// The report's own script; it stands inside the page, where it finds all its data.

const whole = (number) => Number(number).toLocaleString('en-US');

const grids = [...document.querySelectorAll('.stage img')];
const slider = document.querySelector('#time');

for (const chart of document.querySelectorAll('.chart')) makeReadable(chart);
if (slider) makeViewer();

/** Points at a chart: an upright line, and the values there in the legend. */
function makeReadable(chart) {
  const plot = chart.querySelector('.plot');
  const line = plot.querySelector('.at');
  const values = [...chart.querySelectorAll('[data-line]')];
  const newest = values.map((value) => value.textContent);
  const data = JSON.parse(document.querySelector(`#${chart.dataset.chart}-curves`).textContent);
  const format = (value) => {
    if (value === null) return '–';
    return data.percent ? `${Math.round(100 * value)} %` : String(value);
  };

  plot.addEventListener('pointermove', (event) => {
    const { left, width } = plot.getBoundingClientRect();
    const x = (data.right * (event.clientX - left)) / width;
    const at = data.iterations.findLastIndex((iteration) => iteration <= Math.max(0, x));
    if (at < 0) return;
    line.hidden = false;
    line.dataset.iteration = whole(data.iterations[at]);
    line.style.left = `${(100 * data.iterations[at]) / data.right}%`;
    values.forEach((value, i) => {
      value.textContent = format(data.lines[i][at]);
    });
  });
  plot.addEventListener('pointerleave', () => {
    line.hidden = true;
    values.forEach((value, i) => {
      value.textContent = newest[i];
    });
  });
}

/** The grids: slider, keys, play, thumbnails, and a mark in the charts. */
function makeViewer() {
  const last = grids.length - 1;
  const output = document.querySelector('.stage output');
  const play = document.querySelector('#play');
  const marks = [...document.querySelectorAll('.plot')].map((plot) => {
    const mark = document.createElement('span');
    mark.className = 'now';
    plot.append(mark);
    return {
      mark,
      right: JSON.parse(plot.parentElement.querySelector('script').textContent).right,
    };
  });
  const thumbs = grids.map((grid, i) => {
    const thumb = document.createElement('button');
    const image = document.createElement('img');
    image.src = grid.src;
    image.alt = '';
    thumb.type = 'button';
    thumb.append(image, whole(grid.dataset.iteration));
    thumb.addEventListener('click', () => show(i));
    return thumb;
  });
  document.querySelector('.thumbs').append(...thumbs);
  let playing;

  function show(index) {
    const at = Math.min(last, Math.max(0, index));
    const { iteration } = grids[at].dataset;
    slider.value = at;
    slider.setAttribute('aria-valuetext', `iteration ${whole(iteration)}`);
    grids.forEach((grid, i) => {
      grid.hidden = i !== at;
    });
    thumbs.forEach((thumb, i) => {
      thumb.setAttribute('aria-current', i === at);
    });
    const row = thumbs[at].parentElement;
    if (row.scrollWidth > row.clientWidth) {
      row.scrollLeft = thumbs[at].offsetLeft - row.offsetLeft - row.clientWidth / 2;
    }
    output.querySelector('b').textContent = `Iteration ${whole(iteration)}`;
    output.querySelector('.badge').hidden = at !== last;
    for (const { mark, right } of marks) {
      mark.style.left = `${Math.min(100, (100 * iteration) / right)}%`;
    }
  }

  function stop() {
    clearInterval(playing);
    playing = undefined;
    play.setAttribute('aria-label', 'Play');
    play.querySelector('path').setAttribute('d', 'M4 2l10 6-10 6z');
  }

  function toggle() {
    if (playing !== undefined) return stop();
    if (Number(slider.value) === last) show(0);
    playing = setInterval(() => {
      show(Number(slider.value) + 1);
      if (Number(slider.value) === last) stop();
    }, 350);
    play.setAttribute('aria-label', 'Pause');
    play.querySelector('path').setAttribute('d', 'M3 2h4v12H3zM9 2h4v12H9z');
  }

  const keys = {
    ArrowLeft: () => show(Number(slider.value) - 1),
    ArrowRight: () => show(Number(slider.value) + 1),
    Home: () => show(0),
    End: () => show(last),
    ' ': toggle,
  };
  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !keys[event.key]) return;
    if (event.key === ' ' && event.target.closest('button')) return;
    event.preventDefault();
    if (event.key !== ' ') stop();
    keys[event.key]();
  });
  slider.addEventListener('input', () => {
    stop();
    show(Number(slider.value));
  });
  play.addEventListener('click', toggle);
  show(last);
}
