import { mapScript } from './map.ts';
import { tableScript } from './table.ts';

/**
 * The page's script. It is kept as text, not as functions, so that the page has the same bytes whether the product
 * runs from its sources or from its build. Data reaches the document as text nodes only.
 */
export const client = `(() => {
'use strict';
${tableScript}
${mapScript}
${`
/** What is chosen in a section, and who wants to know. */
const choice = () => {
  let value = null;
  const listeners = [];
  return {
    get value() { return value; },
    set(next) { value = next; for (const listener of listeners) listener(value); },
    toggle(next) { this.set(value === next ? null : next); },
    on(listener) { listeners.push(listener); },
  };
};

for (const section of document.querySelectorAll('[data-clustering]')) {
  const source = section.querySelector('[data-points]');
  if (!source) continue;
  const data = JSON.parse(source.textContent);
  const chosen = choice();
  clusterTable(section, data, chosen);
  sizeBars(section, chosen);
  if (data.map) pointMap(section, data, chosen);
}
for (const table of document.querySelectorAll('table[data-sortable]')) sortable(table);

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const text = button.parentElement.querySelector('code').textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector('code'));
    button.textContent = 'Selected';
  }
});`}
})();`;
