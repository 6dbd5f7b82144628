/**
 * The explorer page, one module for each part. scripts/build-page.ts bundles it to page.js.
 *
 * @module
 */
import { element } from './elements.ts';
import './name.ts';
import './wall.ts';
import './walk.ts';
import './sums.ts';
import './pad.ts';
import './directions.ts';
import './facts.ts';
import './models.ts';
import { changeView, view } from './view.ts';

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

// Once the sliders have their room on the screen: else what is below them would be seen to jump.
if (view.part !== '') {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => document.getElementById(view.part)?.scrollIntoView()),
  );
}
