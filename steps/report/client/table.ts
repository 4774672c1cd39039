/** Sorting, searching and unfolding of tables, and the size chart's bars. */
export const tableScript = String.raw`
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const shownAtFirst = 15;
const number = (value) => value.toLocaleString('en-US');

function clusterTable(section, data, chosen) {
  const table = section.querySelector('.clusters-table');
  const search = section.querySelector('[data-search]');
  const status = section.querySelector('[data-status]');
  const clear = section.querySelector('[data-clear]');
  const more = section.querySelector('[data-more]');
  const nothing = section.querySelector('[data-nothing]');
  const bodies = [...table.tBodies];
  const entries = bodies.map((body) => ({
    body,
    cluster: Number(body.dataset.cluster),
    size: Number(body.dataset.size),
    name: body.querySelector('b').textContent,
    // Word by word: the text of neighbouring cells would run into one.
    words: [...body.querySelectorAll('b, li')].map((part) => part.textContent).join('\n').toLowerCase(),
  }));
  const byCluster = new Map(entries.map((entry) => [entry.cluster, entry]));
  let all = entries.length <= shownAtFirst + 5;

  const unfold = (body, open) => {
    const toggle = body.querySelector('.toggle');
    if (!toggle) return;
    toggle.setAttribute('aria-expanded', String(open));
    body.querySelector('.detail').hidden = !open;
  };
  const isOpen = (body) => body.querySelector('.toggle')?.getAttribute('aria-expanded') === 'true';
  for (const body of bodies) unfold(body, false);

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let matching = 0;
    for (const { body, cluster, words: text } of entries) {
      const fits = (chosen.value === null || chosen.value === cluster) && words.every((word) => text.includes(word));
      if (fits) matching++;
      const visible = fits && (all || words.length > 0 || chosen.value !== null || matching <= shownAtFirst);
      if (visible) shown++;
      body.hidden = !visible;
      body.toggleAttribute('data-on', chosen.value === cluster);
    }
    status.textContent = shown === entries.length
      ? number(entries.length) + (entries.length === 1 ? ' cluster' : ' clusters')
      : number(shown) + ' of ' + number(entries.length) + ' clusters';
    nothing.hidden = matching > 0;
    more.hidden = shown >= matching;
    more.firstElementChild.textContent = 'Show all ' + number(entries.length) + ' clusters';
    clear.hidden = chosen.value === null;
    if (chosen.value !== null) clear.querySelector('.label').textContent = byCluster.get(chosen.value)?.name ?? '';
  };

  search.addEventListener('input', show);
  more.firstElementChild.addEventListener('click', () => { all = true; show(); });
  clear.addEventListener('click', () => { chosen.set(null); search.focus(); });
  chosen.on((cluster) => {
    if (cluster !== null) {
      search.value = '';
      const entry = byCluster.get(cluster);
      if (entry) unfold(entry.body, true);
    }
    section.classList.toggle('has-selection', cluster !== null);
    show();
  });
  table.addEventListener('click', (event) => {
    const row = event.target.closest('tr.main');
    if (!row || getSelection().toString() !== '') return;
    unfold(row.parentElement, !isOpen(row.parentElement));
  });
  for (const button of table.querySelectorAll('[data-show]')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      chosen.set(Number(button.closest('tbody').dataset.cluster));
      const canvas = section.querySelector('canvas');
      canvas.scrollIntoView({ block: 'center' });
      canvas.focus({ preventScroll: true });
    });
  }

  const header = table.tHead;
  header.addEventListener('click', (event) => {
    const button = event.target.closest('[data-sort]');
    if (!button) return;
    const cell = button.closest('th');
    const key = button.dataset.sort;
    const order = nextOrder(cell, key === 'size');
    entries.sort((a, b) => order * (key === 'size' ? a.size - b.size : collator.compare(a.name, b.name)) || a.cluster - b.cluster);
    for (const { body } of entries) table.append(body);
    show();
  });
  show();
}

/** Turns a column's order round, or starts with falling numbers and rising names. */
function nextOrder(cell, numeric) {
  const now = cell.getAttribute('aria-sort');
  const next = now ? (now === 'ascending' ? 'descending' : 'ascending') : numeric ? 'descending' : 'ascending';
  for (const other of cell.parentElement.cells) other.removeAttribute('aria-sort');
  cell.setAttribute('aria-sort', next);
  return next === 'ascending' ? 1 : -1;
}

function sizeBars(section, chosen) {
  const bars = [...section.querySelectorAll('.bar')];
  const scroll = section.querySelector('.sizes-scroll');
  for (const bar of bars) bar.addEventListener('click', () => chosen.toggle(Number(bar.dataset.cluster)));
  chosen.on((cluster) => {
    for (const bar of bars) {
      const on = Number(bar.dataset.cluster) === cluster;
      bar.toggleAttribute('data-on', on);
      if (!on) continue;
      const box = bar.getBoundingClientRect();
      const frame = scroll.getBoundingClientRect();
      if (box.top < frame.top || box.bottom > frame.bottom) scroll.scrollTop += box.top - frame.top - frame.height / 2;
    }
  });
}

function sortable(table) {
  table.tHead.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    const cell = button.closest('th');
    const column = cell.cellIndex;
    const order = nextOrder(cell, cell.classList.contains('number'));
    const value = (row) => row.cells[column].dataset.value;
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x !== undefined && y !== undefined) return Number(x) - Number(y);
      return collator.compare(a.cells[column].textContent, b.cells[column].textContent);
    };
    const rows = [...table.tBodies[0].rows].sort((a, b) => order * compare(a, b));
    table.tBodies[0].append(...rows);
  });
}`;
