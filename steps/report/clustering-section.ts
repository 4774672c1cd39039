import { clip, count, html, jsonScript, type Markup, percent, trusted } from './markup.ts';
import type { Cluster, Clustering } from './model.ts';

/** Bars that the size chart shows: more would be a line. */
const maxBars = 300;
const barHeight = 34;

/** Colour of a cluster: a hue in degrees, and what is added to the scheme's lightness. */
export interface ClusterColor {
  hue: number;
  tone: number;
}

/**
 * A colour for each cluster, by rank. On a map, hues go round its centre in the order of the clusters' directions, so
 * that neighbours are of a kind and the map reads as a landscape; without one, steps of the golden angle keep
 * neighbours in size apart. Three lightnesses tell close hues from each other.
 */
export function colorsOf({ clusters, map }: Clustering): ClusterColor[] {
  const tones = [0, -0.1, 0.09];
  if (!map) {
    return clusters.map((_, rank) => ({
      hue: Math.round((rank * 137.508 + 262) % 360),
      tone: tones[rank % 3]!,
    }));
  }
  const sums = new Map(clusters.map(({ cluster }) => [cluster, { x: 0, y: 0, n: 0 }]));
  map.cluster.forEach((cluster, point) => {
    const sum = sums.get(cluster);
    if (!sum) return;
    sum.x += map.x[point]!;
    sum.y += map.y[point]!;
    sum.n++;
  });
  const angles = clusters.map(({ cluster }, rank) => {
    const { x, y, n } = sums.get(cluster)!;
    return { rank, angle: n === 0 ? 9 : Math.atan2(y / n - map.height / 2, x / n - map.width / 2) };
  });
  angles.sort((a, b) => a.angle - b.angle || a.rank - b.rank);
  const colors: ClusterColor[] = [];
  angles.forEach(({ rank }, turn) => {
    colors[rank] = { hue: Math.round((turn * 360) / angles.length + 20) % 360, tone: tones[turn % 3]! };
  });
  return colors;
}

/** Map, sizes and table of one clustering. They work together: choosing a cluster in one shows it in all. */
export function clusteringSection(clustering: Clustering, index: number, several: boolean): Markup {
  const { clusters, map } = clustering;
  const colors = colorsOf(clustering);
  const id = `clusters-${index}`;
  const title = several ? `Clusters of ${clustering.name}` : 'Clusters';
  return html`<section class="section" aria-labelledby="${id}" data-clustering>
<header><h2 id="${id}" dir="auto">${title}</h2><p>${caption(clustering)}</p></header>
${
  clusters.length === 0
    ? html`<p class="card empty">There is nothing to show: ${
        clustering.rows === 0 ? 'the table has no rows' : 'no row belongs to a cluster'
      }.</p>`
    : html`<div class="explorer${map ? ' with-map' : null}">${map ? mapCard(clustering, index) : null}
${sizesCard(clustering, colors, index)}</div>
${tableCard(clustering, colors, index)}
${jsonScript(clientData(clustering, colors), 'data-points')}`
}
</section>`;
}

function caption({ map, noMap, clusters }: Clustering): string {
  if (clusters.length === 0) return '';
  return map ? 'Choose a cluster on the map or among the sizes to see its texts below.' : (noMap ?? '');
}

/** What the script needs: points, and clusters by rank. */
function clientData({ clusters, map }: Clustering, colors: ClusterColor[]) {
  return {
    clusters: clusters.map(({ cluster, name, size }, rank) => {
      const { hue, tone } = colors[rank]!;
      return [cluster, clip(name, 60), size, hue, tone];
    }),
    map: map && { w: map.width, h: map.height, x: map.x, y: map.y, c: map.cluster, t: map.text },
  };
}

function mapCard({ map, clusters }: Clustering, index: number): Markup | null {
  if (!map) return null;
  const points = map.x.length;
  const shown =
    points < map.of ? `A sample of ${count(points)} of ${count(map.of)} texts` : `${count(points)} texts`;
  return html`<figure class="card map" data-map>
<canvas tabindex="0" role="application" aria-roledescription="map" aria-label="Map of ${count(points)} texts in ${count(clusters.length)} clusters" aria-describedby="map-note-${index}"></canvas>
<div class="map-tools"><button class="button square" type="button" data-zoom="in" aria-label="Zoom in" title="Zoom in">+</button><button class="button square" type="button" data-zoom="out" aria-label="Zoom out" title="Zoom out">−</button><button class="button square" type="button" data-zoom="reset" aria-label="Show the whole map" title="Show the whole map">⤢</button></div>
<div class="tip" data-tip hidden></div>
<figcaption class="map-note" id="map-note-${index}">${shown}, near each other if alike${
    map.explained === null
      ? ''
      : `: the first two principal components, ${percent(map.explained)} of the variance`
  }. <span class="visually-hidden">Arrow keys move, plus and minus zoom, 0 shows all, Escape clears the choice. The table below holds the same clusters.</span></figcaption>
</figure>`;
}

function sizesCard({ clusters, map, rows }: Clustering, colors: ClusterColor[], index: number): Markup {
  const shown = clusters.slice(0, maxBars);
  const largest = Math.max(1, ...shown.map(({ size }) => size));
  const bars = shown.map(({ cluster, name, size }, rank) => {
    const top = rank * barHeight;
    return html`
<g class="bar" data-cluster="${cluster}"><title>${name}: ${count(size)}</title><rect class="hit" x="0" y="${top}" width="100%" height="${barHeight}" rx="6"/><svg x="2%" y="${top}" width="78%" height="22" overflow="hidden"><text x="0" y="17">${clip(name, 60)}</text></svg><text class="number" x="98%" y="${top + 17}">${count(size)}</text><svg x="2%" y="${top + 23}" width="96%" height="5"><rect class="track" width="100%" height="5" rx="2.5"/><rect class="hued" width="${((size / largest) * 100).toFixed(2)}%" height="5" rx="2.5" style="${colorStyle(colors[rank]!)}"/></svg></g>`;
  });
  return html`<div class="card sizes${map ? null : ' alone'}"><h3 id="sizes-${index}">Sizes <span>${
    shown.length < clusters.length ? `the ${count(shown.length)} largest` : 'texts in each cluster'
  }</span></h3>
<div class="sizes-scroll" tabindex="0" role="region" aria-labelledby="sizes-${index}"><svg role="img" aria-label="Bar chart of cluster sizes, from ${count(clusters[0]!.size)} down to ${count(clusters.at(-1)!.size)} of ${count(rows)} texts" height="${shown.length * barHeight}">${bars}</svg></div></div>`;
}

function colorStyle({ hue, tone }: ClusterColor): string {
  return tone === 0 ? `--h:${hue}` : `--h:${hue};--t:${tone}`;
}

function tableCard(clustering: Clustering, colors: ClusterColor[], index: number): Markup {
  const { clusters, unclustered, rows } = clustering;
  return html`<div class="tools"><label class="search"><span class="visually-hidden">Search clusters</span><svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" aria-hidden="true"><circle cx="7" cy="7" r="4.8"/><path d="m10.8 10.8 3.4 3.4"/></svg><input type="search" placeholder="Search names, keywords, examples" data-search autocomplete="off" spellcheck="false"></label>
<button class="button chosen" type="button" data-clear hidden><span class="label" dir="auto"></span><span aria-hidden="true">×</span><span class="visually-hidden">Show all clusters</span></button>
<span class="status" role="status" data-status>${count(clusters.length)} ${clusters.length === 1 ? 'cluster' : 'clusters'}</span></div>
<div class="card flow"><table class="clusters-table" aria-labelledby="clusters-${index}"><thead><tr><th scope="col" class="c-name"><button type="button" data-sort="name">Cluster</button></th><th scope="col" class="c-size number" aria-sort="descending"><button type="button" data-sort="size">Size</button></th><th scope="col" class="c-share">Share</th><th scope="col" class="c-example">Example</th><th scope="col" class="c-more"><span class="visually-hidden">Examples</span></th></tr></thead>
${clusters.map((cluster, rank) => clusterBody(cluster, colors[rank]!, index, clustering))}
</table>
<p class="nothing" data-nothing hidden>No cluster matches.</p>
<div class="more" data-more hidden><button class="button" type="button"></button></div></div>
${
  unclustered > 0
    ? html`<p class="note">${count(unclustered)} of ${count(rows)} texts belong to no cluster; they are grey on the map.</p>`
    : null
}`;
}

function clusterBody(
  cluster: Cluster,
  color: ClusterColor,
  index: number,
  { rows, clusters, map }: Clustering,
): Markup {
  const detail = `cluster-${index}-${cluster.cluster}`;
  const share = cluster.size / Math.max(1, rows);
  const width = (100 * cluster.size) / Math.max(1, clusters[0]!.size);
  const style = colorStyle(color);
  const has = cluster.examples.length > 0 || cluster.label !== null;
  // A name made of keywords need not be said twice.
  const inName = new Set(wordsOf(cluster.name));
  const keywords = cluster.keywords.filter((keyword) => {
    const words = wordsOf(keyword);
    return words.length === 0 || !words.every((word) => inName.has(word));
  });
  return html`<tbody data-cluster="${cluster.cluster}" data-size="${cluster.size}"><tr class="main"><td><div class="name"><span class="dot hued" style="${style}"></span><div><b dir="auto">${clip(cluster.name, 160)}</b>${
    keywords.length > 0
      ? html`<ul class="keywords" aria-label="Keywords">${keywords
          .slice(0, 10)
          .map((keyword) => html`<li dir="auto">${clip(keyword, 40)}</li>`)}</ul>`
      : null
  }</div></div></td><td class="number">${count(cluster.size)}</td><td class="share-cell"><div class="share"><div class="rail"><i class="hued" style="${trusted(style)};width:${width.toFixed(1)}%"></i></div><span>${percent(share)}</span></div></td><td class="example-cell"><div class="example" dir="auto">${cluster.examples[0] ?? ''}</div></td><td>${
    has
      ? html`<button class="toggle" type="button" aria-expanded="true" aria-controls="${detail}"><span class="visually-hidden">Examples of ${clip(cluster.name, 60)}</span><svg viewBox="0 0 14 14" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="m3 5 4 4 4-4"/></svg></button>`
      : null
  }</td></tr>${
    has
      ? html`<tr class="detail" id="${detail}"><td colspan="5"><ol>${cluster.examples.map(
          (example) => html`<li dir="auto">${example}</li>`,
        )}</ol>${
          cluster.label
            ? html`<p class="note">Most frequent label: <b dir="auto">${cluster.label.value}</b>, ${percent(cluster.label.share)} of the cluster.</p>`
            : null
        }${map ? html`<button class="button" type="button" data-show hidden>Show on the map</button>` : null}</td></tr>`
      : null
  }</tbody>
`;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
