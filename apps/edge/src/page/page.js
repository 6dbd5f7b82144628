// The explorer page, one module for each part.
import { element } from './elements.js';
import './name.js';
import './wall.js';
import './walk.js';
import './sums.js';
import './pad.js';
import './facts.js';
import { changeView, view } from './view.js';

// The address after # holds the view, so these links must not replace it.
element('parts', HTMLElement).addEventListener('click', (event) => {
  const link = event.target instanceof Element && event.target.closest('a');
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  changeView({ part: target.id }, { step: false });
  target.scrollIntoView();
  target.querySelector('h2')?.focus({ preventScroll: true });
});

if (view.part !== '') document.getElementById(view.part)?.scrollIntoView();
