import type { Json } from '../../engine/json.ts';
import { curveChart } from './curve-chart.ts';
import { count, figure, html, type Markup } from './markup.ts';
import type { SampleTable } from './model.ts';
import { ratingsChart } from './ratings-chart.ts';

/** The head of a table as it stands, sortable by every column. */
export function tableSection(table: SampleTable, index: number): Markup {
  const id = `table-${index}`;
  const name = table.output === 'rows' ? table.name : `${table.name}.${table.output}`;
  const byClass = table.fields.includes('class');
  const numeric = table.fields.map((_, field) => {
    const values = table.head.map((row) => row[field]).filter((value) => value !== null);
    return values.length > 0 && values.every((value) => typeof value === 'number');
  });
  return html`<section class="section" aria-labelledby="${id}">
<header><h2 id="${id}" dir="auto">${byClass ? 'By class' : name}</h2><p dir="auto">${byClass ? `${name}: ` : null}${extent(table)}</p></header>
${ratingsChart(table) ?? curveChart(table)}
${
  table.head.length === 0
    ? html`<p class="card empty">This table has no rows.</p>`
    : html`<div class="card flow table-scroll" tabindex="0" role="region" aria-labelledby="${id}"><table class="plain" data-sortable>
<thead><tr>${table.fields.map(
        (field, column) =>
          html`<th scope="col"${numeric[column] ? html` class="number"` : null}><button type="button" dir="auto">${field}</button></th>`,
      )}</tr></thead>
<tbody>${table.head.map(
        (row) => html`<tr>${row.map((value, column) => cell(value, numeric[column]!))}</tr>
`,
      )}</tbody></table></div>`
}
</section>`;
}

function cell(value: Json, numeric: boolean): Markup {
  if (typeof value === 'number')
    return html`<td${numeric ? html` class="number"` : null} data-value="${value}">${figure(value)}</td>`;
  if (value === null) return html`<td></td>`;
  const text = String(value);
  return html`<td><div class="${text.length > 60 ? 'clamp long' : 'clamp'}" dir="auto">${text}</div></td>`;
}

function extent({ rows, head, moreFields }: SampleTable): string {
  const shown =
    head.length < rows
      ? `The first ${count(head.length)} of ${count(rows)} rows`
      : `${count(rows)} ${rows === 1 ? 'row' : 'rows'}`;
  return moreFields > 0 ? `${shown}; ${count(moreFields)} more fields are not shown.` : `${shown}.`;
}
