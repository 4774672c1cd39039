import { hash } from 'node:crypto';
import { client } from './client/index.ts';
import { clusteringSection } from './clustering-section.ts';
import { count, html, type Markup, percent, scriptEnd, trusted } from './markup.ts';
import type { Report } from './model.ts';
import { places } from './places.ts';
import { metricMeaning, scoresSection } from './scores-section.ts';
import { style } from './style.ts';
import { tableSection } from './table-section.ts';
import { timelineSection } from './timeline-section.ts';

/**
 * The whole page. It holds neither time nor run id nor path, and asks for nothing outside itself: the content policy
 * allows its own script by digest and no other, so that even a flaw in the escaping would run nothing.
 */
export function renderPage(report: Report): string {
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash('sha256', client, 'base64')}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const title = report.title ?? headline(report);
  const nothing =
    report.clusterings.length + report.timelines.length + report.scores.length + report.tables.length === 0;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Reprise">
<title>${title}</title>
<style>${trusted(style)}</style>
</head>
<body>
<div class="page">
<header class="top">
${trusted(places.run)}
<h1 dir="auto">${title}</h1>
${report.title !== null && report.clusterings.length > 0 ? html`<p class="lead">${headline(report)}</p>` : null}
</header>
<main>
${nothing ? html`<p class="card empty">The report was given nothing to show: its inputs have no tables and no metrics.</p>` : null}
${tiles(report)}
${report.clusterings.map((clustering, index) => clusteringSection(clustering, index, report.clusterings.length > 1))}
${report.timelines.map((timeline, index) => timelineSection(timeline, index))}
${scoresSection(report.scores)}
${report.tables.map((table, index) => tableSection(table, index))}
${trusted(places.graph)}
${trusted(places.provenance)}
</main>
<footer class="foot">Made by Reprise. This page holds all its data and loads nothing from the network.</footer>
</div>
<script>${trusted(client)}${scriptEnd}
</body>
</html>
`;
  return page.text;
}

/** `9,996 texts in 77 clusters`, or what else there is. */
function headline(report: Report): string {
  const [first] = report.clusterings;
  if (first) {
    const rows = `${count(first.rows)} ${first.rows === 1 ? 'text' : 'texts'}`;
    return `${rows} in ${count(first.clusters.length)} ${first.clusters.length === 1 ? 'cluster' : 'clusters'}`;
  }
  const [table] = report.tables;
  if (table) return `${count(table.rows)} ${table.rows === 1 ? 'row' : 'rows'} of ${table.name}`;
  return 'Report';
}

/** At most this many scores stand among the headline numbers. */
const maxScores = 2;
/** The scores that say most about a result, best first. */
const telling = [
  'v_measure',
  'ari',
  'accuracy',
  'f1',
  'win_rate',
  'pass_rate',
  'silhouette',
  'purity',
  'nmi',
  'ami',
  'score',
];

function tiles(report: Report): Markup | null {
  const items: { label: string; value: string; aside?: string }[] = [];
  const [first] = report.clusterings;
  if (first) {
    items.push({ label: 'Texts', value: count(first.rows) });
    items.push({ label: 'Clusters', value: count(first.clusters.length) });
    const [largest] = first.clusters;
    if (largest) {
      const median = first.clusters[first.clusters.length >> 1]!.size;
      items.push({
        label: 'Largest cluster',
        value: percent(largest.size / Math.max(1, first.rows)),
        aside: largest.name,
      });
      items.push({ label: 'Median size', value: count(median), aside: median === 1 ? 'text' : 'texts' });
    }
    if (first.unclustered > 0)
      items.push({
        label: 'In no cluster',
        value: percent(first.unclustered / first.rows),
        aside: `${count(first.unclustered)} texts`,
      });
  } else {
    for (const table of report.tables.slice(0, 3))
      items.push({ label: `Rows of ${table.name}`, value: count(table.rows) });
  }
  let scores = 0;
  for (const name of telling) {
    const step = report.scores.find((candidate) => candidate.metrics.some((metric) => metric.name === name));
    const value = step?.metrics.find((metric) => metric.name === name)?.value;
    if (!step || typeof value !== 'number' || scores === maxScores) continue;
    scores++;
    items.push({ label: metricMeaning(name).label, value: value.toFixed(3), aside: step.name });
  }
  if (items.length === 0) return null;
  return html`<dl class="tiles">${items.map(
    ({ label, value, aside }) => html`
<div class="card tile"><dt>${label}</dt><dd class="value">${value}</dd>${
      aside ? html`<dd class="aside" title="${aside}" dir="auto">${aside}</dd>` : null
    }</div>`,
  )}
</dl>`;
}
