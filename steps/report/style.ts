/**
 * The page's stylesheet. Colours are custom properties, so that what is put around the page later (the DAG, the run's
 * provenance) follows the same light and dark scheme. Text has a contrast of 4.5:1 or more in both.
 */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f6f3; --card: #ffffff; --sunken: #f3f3ef; --line: #e3e3dd; --line-strong: #cfcfc7;
  --text: #1a1b1e; --muted: #5f6269; --accent: #4a4fd0; --accent-soft: #ececfb; --focus: #4a4fd0;
  --good: #1c7a4a; --bad: #b3312c; --warn: #8a5a00;
  --dot-l: .62; --dot-c: .16; --grey: #8d9097;
  --shadow: 0 1px 2px rgb(20 20 30 / .05), 0 4px 16px rgb(20 20 30 / .04);
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e0f12; --card: #16181c; --sunken: #1d2025; --line: #282b31; --line-strong: #3b3f47;
    --text: #ecedf0; --muted: #a1a5ae; --accent: #9aa0ff; --accent-soft: #23264a; --focus: #9aa0ff;
    --good: #62cf97; --bad: #ff8f87; --warn: #e5b454;
    --dot-l: .72; --dot-c: .14; --grey: #777b84;
    --shadow: none;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--page); color: var(--text); font: 400 15px/1.5 var(--sans);
  text-rendering: optimizeLegibility; overflow-wrap: break-word;
}
h1, h2, h3, p, ol, ul, dl, dd, figure { margin: 0; padding: 0; }
button, input { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
a { color: var(--accent); }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }

.page { max-width: 1240px; margin: 0 auto; padding: clamp(1.25rem, 4vw, 3rem) clamp(1rem, 3vw, 2rem) 3rem; }
.top { margin-bottom: clamp(1.25rem, 3vw, 2rem); }
h1 { font-size: clamp(1.65rem, 1.2rem + 2vw, 2.5rem); line-height: 1.15; letter-spacing: -.022em; font-weight: 680; text-wrap: balance; }
h2 { font-size: 1.2rem; line-height: 1.3; letter-spacing: -.01em; font-weight: 640; }
h3 { font-size: .95rem; font-weight: 620; }
.lead { color: var(--muted); font-size: 1.05rem; margin-top: .5rem; max-width: 70ch; }
.section { margin-top: clamp(1.75rem, 4vw, 2.75rem); }
.section > header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; margin-bottom: .85rem; }
.section > header p, .note { color: var(--muted); font-size: .875rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow); }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 9.5rem), 1fr)); gap: .75rem; }
.tile { padding: .9rem 1.1rem 1rem; display: flex; flex-direction: column; }
.tile dt { color: var(--muted); font-size: .82rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tile dd.value { font-size: 1.75rem; line-height: 1.25; letter-spacing: -.02em; font-weight: 640; }
.tile dd.aside { color: var(--muted); font-size: .8rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }

.dot { flex: none; display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; background: var(--grey); }
.hued { background: oklch(calc(var(--dot-l) + var(--t, 0)) var(--dot-c) var(--h)); fill: oklch(calc(var(--dot-l) + var(--t, 0)) var(--dot-c) var(--h)); }

.explorer { display: grid; gap: .75rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 960px) { .explorer.with-map { grid-template-columns: minmax(0, 1.85fr) minmax(0, 1fr); } }
.map { position: relative; overflow: hidden; height: clamp(320px, 62vw, 600px); display: flex; flex-direction: column; }
.map canvas { display: block; width: 100%; flex: 1 1 0; min-height: 0; cursor: crosshair; touch-action: pan-y; border-radius: 14px; }
.map canvas.zoomed { touch-action: none; cursor: grab; }
.map canvas.dragging { cursor: grabbing; }
.map canvas:focus-visible { outline-offset: -3px; border-radius: 14px; }
.map-tools { position: absolute; right: .75rem; top: .75rem; display: flex; flex-direction: column; gap: .35rem; }
.map-note { padding: .3rem .9rem .65rem; color: var(--muted); font-size: .78rem; line-height: 1.4; text-wrap: balance; }
.square { width: 2.1rem; height: 2.1rem; padding: 0; font-size: 1.05rem; line-height: 1; justify-content: center; }
.button {
  display: inline-flex; align-items: center; gap: .4rem; border: 1px solid var(--line-strong); background: var(--card); border-radius: 9px;
  padding: .38rem .75rem; cursor: pointer; font-size: .875rem; font-weight: 540;
}
.button.square { padding: 0; }
.button:hover { background: var(--sunken); }
.tip {
  position: absolute; z-index: 3; left: 0; top: 0; max-width: min(320px, 80%); padding: .55rem .7rem; pointer-events: none; font-size: .84rem; line-height: 1.4;
  background: var(--text); color: var(--page); border-radius: 9px; box-shadow: 0 6px 24px rgb(0 0 0 / .22);
}
.tip b { display: block; font-size: .76rem; font-weight: 560; opacity: .75; margin-top: .2rem; }

.sizes { display: flex; flex-direction: column; height: clamp(320px, 62vw, 600px); overflow: hidden; }
.sizes.alone { height: auto; max-height: 580px; }
.sizes > h3 { padding: .9rem 1.1rem .6rem; display: flex; justify-content: space-between; gap: 1rem; border-bottom: 1px solid var(--line); }
.sizes > h3 span { color: var(--muted); font-weight: 400; font-size: .82rem; }
.sizes-scroll { overflow-y: auto; overscroll-behavior: contain; padding: .5rem .6rem .75rem; scrollbar-width: thin; scrollbar-color: var(--line-strong) transparent; }
.sizes svg { display: block; width: 100%; }
.bar { cursor: pointer; }
.bar text { font: 400 12.5px var(--sans); fill: var(--text); }
.bar .number { fill: var(--muted); text-anchor: end; font-variant-numeric: tabular-nums; }
.bar .track { fill: var(--sunken); }
.bar .hit { fill: transparent; }
.bar:hover .hit, .bar[data-on] .hit { fill: var(--accent-soft); }
.bar .hued { transition: opacity .15s; }
.has-selection .bar:not([data-on]) .hued { opacity: .35; }

.tools { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: 1.5rem 0 .75rem; }
.search { flex: 1 1 16rem; max-width: 26rem; position: relative; }
.search input { width: 100%; border: 1px solid var(--line-strong); background: var(--card); border-radius: 10px; padding: .5rem .8rem .5rem 2.2rem; }
.search input::placeholder { color: var(--muted); opacity: 1; }
.search svg { position: absolute; left: .75rem; top: 50%; translate: 0 -50%; width: 1rem; height: 1rem; color: var(--muted); }
.status { color: var(--muted); font-size: .875rem; }
.chosen { max-width: 100%; }
.chosen .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 22rem; }

.table-scroll { overflow: auto; max-height: 36rem; scrollbar-width: thin; scrollbar-color: var(--line-strong) transparent; }
.table-scroll th { position: sticky; top: 0; background: var(--card); box-shadow: inset 0 -1px var(--line-strong); border-bottom: 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 560; color: var(--muted); font-size: .8rem; white-space: nowrap; padding: .65rem .75rem; border-bottom: 1px solid var(--line-strong); }
th button { all: unset; cursor: pointer; display: inline-flex; gap: .3rem; align-items: center; border-radius: 4px; }
th button:hover { color: var(--text); }
th button:focus-visible { outline: 2px solid var(--focus); outline-offset: 3px; }
th button::after { content: "↕"; content: "↕" / ""; opacity: .4; font-size: .85em; }
th[aria-sort=ascending] button::after { content: "↑"; content: "↑" / ""; opacity: 1; }
th[aria-sort=descending] button::after { content: "↓"; content: "↓" / ""; opacity: 1; }
th[aria-sort=ascending], th[aria-sort=descending] { color: var(--text); }
td { padding: .6rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { padding-left: 1.1rem; }
th:last-child, td:last-child { padding-right: 1.1rem; }
tbody:last-child tr:last-child td { border-bottom: 0; }
th.number, td.number { text-align: right; }
td.number { white-space: nowrap; }

.clusters-table { table-layout: fixed; }
.clusters-table .c-name { width: 40%; } .clusters-table .c-size { width: 6.5rem; } .clusters-table .c-share { width: 9.5rem; } .clusters-table .c-more { width: 3.6rem; }
.clusters-table tbody tr.main { cursor: pointer; }
.clusters-table tbody tr.main:hover td { background: color-mix(in oklab, var(--sunken) 60%, transparent); }
.clusters-table tbody[data-on] tr.main td { background: var(--accent-soft); }
.clusters-table .name { display: flex; gap: .7rem; align-items: baseline; }
.clusters-table .name .dot { translate: 0 .05rem; }
.clusters-table .name b { font-weight: 600; }
.clusters-table .example { color: var(--muted); overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
.keywords { display: flex; flex-wrap: wrap; gap: .15rem .5rem; color: var(--muted); font-size: .82rem; list-style: none; margin-top: .15rem; }
.keywords li:not(:last-child)::after { content: "·"; content: "·" / ""; margin-left: .5rem; opacity: .6; }
.share { display: grid; grid-template-columns: 1fr 3.4rem; align-items: center; gap: .5rem; padding-top: .3rem; }
.share .rail { height: 6px; border-radius: 3px; background: var(--sunken); overflow: hidden; }
.share .rail i { display: block; height: 100%; border-radius: 3px; }
.share span { line-height: 1; text-align: right; color: var(--muted); font-size: .82rem; }
.toggle { all: unset; cursor: pointer; width: 1.9rem; height: 1.9rem; display: inline-grid; place-items: center; border-radius: 8px; color: var(--muted); }
.toggle:hover { background: var(--sunken); color: var(--text); }
.toggle:focus-visible { outline: 2px solid var(--focus); }
.toggle svg { width: .85rem; height: .85rem; transition: rotate .15s; }
.toggle[aria-expanded=true] svg { rotate: 180deg; }
tr.detail td { padding: .35rem 1.1rem 1.1rem 2.5rem; }
tr.main:has(+ tr.detail:not([hidden])) td { border-bottom-color: transparent; }
.detail ol { list-style: none; display: grid; gap: .45rem; max-width: 90ch; }
.detail ol li { padding-left: .9rem; border-left: 2px solid var(--line-strong); }
.detail .note, .detail .button { margin-top: .8rem; }
.more { padding: .75rem; text-align: center; border-top: 1px solid var(--line); }
.nothing { padding: 2rem 1.1rem; text-align: center; color: var(--muted); }

.score-cards { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); align-items: start; }
.score-card { padding: .9rem 1.1rem 1rem; }
.score-card h3 { display: flex; gap: .5rem; align-items: baseline; margin-bottom: .5rem; }
.score-card h3 small { font-weight: 400; color: var(--muted); font-size: .82rem; }
.score-card.many { grid-column: 1 / -1; } .score-card.many dl { columns: 3 17rem; column-gap: 2.5rem; }
.score { break-inside: avoid; display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .1rem .75rem; padding: .38rem 0; align-items: baseline; }
.score { border-bottom: 1px solid var(--line); } .score-card:not(.many) .score:last-child { border-bottom: 0; }
.score dt { font-size: .9rem; }
.score dt small { display: block; color: var(--muted); font-size: .78rem; line-height: 1.35; }
.score dd { font-weight: 600; text-align: right; overflow-wrap: anywhere; }
.score .meter { grid-column: 1 / -1; height: 4px; border-radius: 2px; background: var(--sunken); overflow: hidden; margin: .15rem 0 .2rem; }
.score .meter i { display: block; height: 100%; background: var(--accent); border-radius: 2px; }
.timeline td { vertical-align: middle; } .timeline svg { display: block; width: clamp(16rem, 45vw, 38rem); height: 2.75rem; }
.timeline rect { fill: var(--line-strong); } .timeline rect.burst { fill: var(--accent); }
.plain td { max-width: 28rem; overflow-wrap: anywhere; }
.plain .clamp.long { min-width: 16rem; }
.plain .clamp { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
.empty { padding: 2.5rem 1.1rem; text-align: center; color: var(--muted); }
.foot { margin-top: 3rem; color: var(--muted); font-size: .82rem; border-top: 1px solid var(--line); padding-top: 1rem; }

@media (max-width: 760px) {
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tile { padding: .7rem .85rem .75rem; } .tile dd.value { font-size: 1.4rem; }
  .map { height: 400px; } .sizes { height: 320px; }
  .clusters-table .c-name { width: auto; } .clusters-table .c-size { width: 4.6rem; } .clusters-table .c-more { width: 3.2rem; }
  .clusters-table .c-share, .clusters-table .c-example, .clusters-table td.share-cell, .clusters-table td.example-cell { display: none; }
  th:first-child, td:first-child { padding-left: .85rem; } th:last-child, td:last-child { padding-right: .6rem; }
  tr.detail td { padding: .2rem .85rem .9rem 2.2rem; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media (forced-colors: active) { .hued, .share .rail i, .score .meter i { forced-color-adjust: none; } }
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --sunken: #eee; --line: #ddd; --line-strong: #bbb; --text: #000; --muted: #444; --accent: #333; --accent-soft: #eee; --dot-l: .62; --dot-c: .16; --shadow: none; }
  body { font-size: 10.5pt; }
  .page { padding: 0; max-width: none; }
  .tools, .map-tools, .more, .toggle, .map-note { display: none !important; }
  .sizes, .sizes.alone { height: auto; max-height: none; } .sizes-scroll { overflow: visible; }
  .explorer.with-map { grid-template-columns: minmax(0, 1fr); }
  .map { height: 440px; } .table-scroll { max-height: none; overflow: visible; }
  .card { box-shadow: none; break-inside: avoid; } .card.flow { break-inside: auto; }
  .clusters-table tbody[hidden] { display: table-row-group !important; }
  tr, .score { break-inside: avoid; }
  thead { display: table-header-group; }
}
`;
