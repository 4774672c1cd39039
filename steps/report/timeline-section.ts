import { clip, count, html, type Markup, percent } from './markup.ts';
import type { Series, Timeline } from './model.ts';

const [width, height] = [760, 44];

/** How the share of each cluster goes with time: a row of bars for each, bursts in the accent colour. */
export function timelineSection(timeline: Timeline, index: number): Markup {
  const { slices, series, of } = timeline;
  const id = `timeline-${index}`;
  const extent =
    slices.length === 0
      ? 'No row has a time.'
      : `Shares from ${slices[0]!} to ${slices.at(-1)!}, ${count(slices.length)} slices.`;
  return html`<section class="section" aria-labelledby="${id}">
<header><h2 id="${id}">Over time</h2><p dir="auto">${timeline.name}: ${extent}${
    series.length < of
      ? ` ${count(series.length)} of ${count(of)} clusters: those with a trend or a burst first.`
      : null
  }</p></header>
<div class="card flow table-scroll" tabindex="0" role="region" aria-labelledby="${id}"><table class="plain timeline">
<thead><tr><th scope="col">Cluster</th><th scope="col">Share by slice</th><th scope="col" class="number">Most</th><th scope="col">Trend</th></tr></thead>
<tbody>${series.map((own) => seriesRow(own, slices))}</tbody></table></div>
</section>`;
}

function seriesRow(series: Series, slices: readonly string[]): Markup {
  const shares = slices.map((_, at) => series.points[at]?.share ?? 0);
  const most = Math.max(0, ...shares);
  const bar = width / Math.max(1, slices.length);
  const bars = slices.map((slice, at) => {
    const point = series.points[at];
    if (!point || point.share === null) return null;
    const tall = most > 0 ? (point.share / most) * (height - 2) : 0;
    const said = point.keywords.length > 0 ? `: ${point.keywords.join(', ')}` : '';
    return html`<rect x="${(at * bar).toFixed(1)}" y="${(height - tall).toFixed(1)}" width="${Math.max(1, bar - 1).toFixed(1)}" height="${tall.toFixed(1)}"${
      point.burst ? html` class="burst"` : null
    }><title>${slice}, ${percent(point.share)}, ${count(point.rows)} rows${clip(said, 200)}</title></rect>`;
  });
  return html`<tr><td dir="auto">${clip(series.name, 80)}</td><td><svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="Shares of ${clip(series.name, 80)} over time, at most ${percent(most)}">${bars}</svg></td><td class="number">${percent(most)}</td><td>${trendOf(series)}${burstsOf(series, slices)}</td></tr>
`;
}

/** `↗ rising, +0.4 points a slice` */
function trendOf({ direction, slope }: Series): Markup {
  if (direction === 'steady') return html`steady`;
  const points = `${slope < 0 ? '−' : '+'}${Math.abs(slope * 100).toPrecision(2)}`;
  return html`${direction === 'rising' ? '↗' : '↘'} ${direction}, ${points} points a slice`;
}

/** ` · burst 2026-01-21 to 2026-01-23`: each stretch of slices with a burst. */
function burstsOf({ points }: Series, slices: readonly string[]): string {
  const stretches: [from: string, to: string][] = [];
  for (const [at, slice] of slices.entries()) {
    if (!points[at]?.burst) continue;
    const last = stretches.at(-1);
    if (last && points[at - 1]?.burst) last[1] = slice;
    else stretches.push([slice, slice]);
  }
  return stretches.map(([from, to]) => ` · burst ${from}${to === from ? '' : ` to ${to}`}`).join('');
}
