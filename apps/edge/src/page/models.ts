/**
 * Links to this page of the other generators that the server has, to compare them: what is on view
 * goes along. Where there is only one, nothing of it is there.
 *
 * @module
 */
import { element } from './elements.ts';
import { model } from './server.ts';
import { onView } from './view.ts';

const list = element('models', HTMLElement);

const facts = await model.catch(() => undefined);
if (facts && facts.models.length > 1) appear(facts.models, facts.name);

function appear(names: readonly string[], shown: string | undefined): void {
  const links = names.map((name, i) => {
    const link = document.createElement('a');
    link.textContent = name;
    if (name === shown) link.ariaCurrent = 'page';
    list.append(link);
    return { link, search: i === 0 ? '' : `?${new URLSearchParams({ model: name })}` };
  });
  onView(() => {
    for (const { link, search } of links)
      link.href = `${location.pathname}${search}${location.hash}`;
  });
  list.hidden = false;
}
