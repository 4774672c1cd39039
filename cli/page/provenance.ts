import type { Metrics } from '../../engine/artefacts.ts';
import type { StepStatus } from '../../engine/events.ts';
import type { Json, JsonObject } from '../../engine/json.ts';
import { html, type Markup, percent, trusted } from '../../steps/report/markup.ts';
import { places } from '../../steps/report/places.ts';
import { count, duration, metric } from '../format.ts';

/** What a page says about the run that made it. Everything that is not known is null, and left out. */
export interface PageRun {
  id: string;
  status: string;
  /** Milliseconds since the epoch, UTC. */
  started: number;
  duration_ms: number;
  workflow: { name: string; description: string | null; path: string; text: string };
  params: JsonObject;
  /** Params that were given on the command line, by name: the line that runs it again says these. */
  given: readonly string[];
  seed: number;
  git: { commit: string; branch: string | null; dirty: boolean } | null;
  /** Label and value, in the order in which they are shown: engine version, node, OS, CPU, lockfile digest. */
  environment: readonly (readonly [label: string, value: string])[];
  /** Models that were used, with the digests of their files. */
  models: readonly { name: string; digest: string }[];
  steps: readonly PageStep[];
  /** The DAG as drawn by `toSvg`; null leaves it out. */
  graph: string | null;
}

export interface PageStep {
  id: string;
  use: string;
  status: StepStatus;
  reason: string;
  duration_ms: number;
  rows: number | null;
  rows_computed: number;
  rows_cached: number;
  metrics: Metrics;
  /** Digests of the outputs by name. */
  outputs: { readonly [name: string]: string };
}

/**
 * The page of a report step with the run around it: which run it was above the headline, the DAG and the provenance
 * below. A page of another make gets the same at its end. The step's own bytes are left as they are.
 */
export function wrapPage(page: string, run: PageRun): string {
  const parts = {
    run: runLine(run).text,
    graph: run.graph === null ? '' : graphSection(run.graph, run).text,
    provenance: provenanceSection(run).text,
  };
  if (!page.includes(places.provenance)) {
    const body = html`${trusted(parts.run)}${trusted(parts.graph)}${trusted(parts.provenance)}`.text;
    const end = page.toLowerCase().lastIndexOf('</body>');
    return end < 0 ? page + body : page.slice(0, end) + body + page.slice(end);
  }
  // Places are found by position, not by pattern: what is put in may hold anything.
  const found = (['run', 'graph', 'provenance'] as const)
    .map((name) => ({ name, at: page.indexOf(places[name]) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  const pieces: string[] = [];
  let from = 0;
  for (const { name, at } of found) {
    pieces.push(page.slice(from, at), parts[name]);
    from = at + places[name].length;
  }
  return pieces.join('') + page.slice(from);
}

function runLine(run: PageRun): Markup {
  const day = new Date(run.started).toISOString().slice(0, 16).replace('T', ' ');
  const git = run.git ? ` · ${run.git.commit.slice(0, 8)}${run.git.dirty ? ' and changes' : ''}` : '';
  return html`<style>${trusted(style)}</style>
<p class="run-line"><a href="#provenance"><b dir="auto">${run.workflow.name}</b></a><span>${day} UTC</span><span>${duration(run.duration_ms)}${git}</span></p>
${run.workflow.description ? html`<p class="run-description" dir="auto">${run.workflow.description}</p>` : null}`;
}

function graphSection(svg: string, run: PageRun): Markup {
  // A wide graph is made smaller as long as its texts can be read, then scrolled.
  const least = Math.round(0.72 * Number(/^<svg[^>]* width="(\d+)"/.exec(svg)?.[1] ?? 0));
  const ran = run.steps.filter(({ status }) => status === 'ran').length;
  const cached = run.steps.filter(({ status }) => status === 'cached').length;
  const text = [
    `${run.steps.length} ${run.steps.length === 1 ? 'step' : 'steps'}`,
    ran > 0 ? `${ran} ran` : null,
    cached > 0 ? `${cached} from the cache` : null,
  ];
  return html`<section class="section" aria-labelledby="graph-title">
<header><h2 id="graph-title">Pipeline</h2><p>${text.filter(Boolean).join(', ')}.</p></header>
<div class="card run-graph" tabindex="0" role="region" aria-labelledby="graph-title"><div style="min-width:${least}px">${trusted(svg)}</div></div>
</section>`;
}

function provenanceSection(run: PageRun): Markup {
  const facts: [string, Markup | string][] = [
    ['Run', html`<code>${run.id}</code>`],
    ['Status', run.status],
    ['Started', `${new Date(run.started).toISOString().slice(0, 19).replace('T', ' ')} UTC`],
    ['Took', duration(run.duration_ms)],
    ['Workflow', html`<code>${run.workflow.path}</code>`],
    ['Seed', String(run.seed)],
  ];
  if (run.git) {
    const { commit, branch, dirty } = run.git;
    const state = dirty ? 'with uncommitted changes (kept in the record)' : 'clean';
    facts.push([
      'Git',
      html`<code>${commit.slice(0, 12)}</code>${branch ? ` on ${branch}` : null}, ${state}`,
    ]);
  } else facts.push(['Git', 'not in a repository']);
  return html`<section class="section" id="provenance" aria-labelledby="provenance-title">
<header><h2 id="provenance-title">Provenance</h2><p>Where every number on this page comes from.</p></header>
<div class="card run-card">
<div class="run-again"><p>Run it again</p><pre><code>${commandLine(run)}</code></pre><button class="button" type="button" data-copy>Copy</button></div>
${fold('This run', definitions(facts), true)}
${Object.keys(run.params).length > 0 ? fold('Params', definitions(Object.entries(run.params).map(([name, value]) => [name, html`<code>${shown(value)}</code>`]))) : null}
${fold('Steps', stepsTable(run.steps))}
${run.environment.length + run.models.length > 0 ? fold('Environment', environment(run)) : null}
${fold('Workflow file', html`<pre><code>${run.workflow.text}</code></pre>`)}
</div>
</section>`;
}

function fold(title: string, content: Markup, open = false): Markup {
  return html`<details${open ? trusted(' open') : null}><summary>${title}</summary><div class="run-fold">${content}</div></details>
`;
}

function definitions(entries: readonly (readonly [string, Markup | string])[]): Markup {
  return html`<dl class="run-facts">${entries.map(([label, value]) => html`<div><dt dir="auto">${label}</dt><dd dir="auto">${value}</dd></div>`)}</dl>`;
}

function environment({ environment: facts, models }: PageRun): Markup {
  return definitions([
    ...facts.map(([label, value]) => [label, value] as const),
    ...models.map(({ name, digest }) => [`Model ${name}`, short(digest)] as const),
  ]);
}

function stepsTable(steps: readonly PageStep[]): Markup {
  return html`<div class="run-table"><table><thead><tr><th scope="col">Step</th><th scope="col">Status</th><th scope="col" class="number">Took</th><th scope="col" class="number">Rows</th><th scope="col">Metrics</th><th scope="col">Outputs</th></tr></thead>
<tbody>${steps.map(
    (
      step,
    ) => html`<tr><td><b dir="auto">${step.id}</b><br><span class="run-muted">${step.use}</span></td><td><span class="run-status ${step.status}">${step.status}</span>${
      step.reason ? html`<br><span class="run-muted" dir="auto">${step.reason}</span>` : null
    }</td><td class="number">${duration(step.duration_ms)}</td><td class="number">${step.rows === null ? '–' : count(step.rows)}${
      step.rows_cached > 0
        ? html`<br><span class="run-muted">${percent(step.rows_cached / (step.rows_cached + step.rows_computed))} cached</span>`
        : null
    }</td><td>${Object.entries(step.metrics).map(
      ([name, value]) => html`<span class="run-metric">${name} <b>${metric(value)}</b></span> `,
    )}</td><td>${Object.entries(step.outputs).map(
      ([name, digest]) => html`<span class="run-metric">${name} ${short(digest)}</span> `,
    )}</td></tr>
`,
  )}</tbody></table></div>`;
}

/** `sha256:1f3a…` as its first twelve digits; the whole of it on hover. */
function short(digest: string): Markup {
  return html`<code title="${digest}">${digest.replace(/^sha256:/, '').slice(0, 12)}</code>`;
}

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The line that runs the same again, for a POSIX shell. */
export function commandLine(run: Pick<PageRun, 'workflow' | 'params' | 'given'>): string {
  const params = run.given
    .filter((name) => run.params[name] !== undefined)
    .map((name) => ` --param ${quote(`${name}=${shown(run.params[name]!)}`)}`);
  return `reprise run ${quote(run.workflow.path)}${params.join('')}`;
}

function quote(word: string): string {
  return /^[\w./=@:,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const style = `
.run-line { display: flex; flex-wrap: wrap; gap: .2rem .9rem; color: var(--muted, #5f6269); font-size: .875rem; margin: 0 0 .6rem; }
.run-line a { color: inherit; text-decoration: none; } .run-line a:hover { text-decoration: underline; } .run-line b { color: var(--accent, #4a4fd0); font-weight: 600; }
.run-description { font-size: 1.05rem; color: var(--muted, #5f6269); margin: 0 0 .35rem; }
.run-graph { overflow: auto; max-height: 40rem; padding: .5rem; scrollbar-width: thin; }
.run-graph svg { display: block; margin: 0 auto; max-width: 100%; height: auto; }
.run-card { overflow: hidden; }
.run-again { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; padding: .8rem 1.1rem; border-bottom: 1px solid var(--line, #e3e3dd); background: var(--sunken, #f3f3ef); }
.run-again p { margin: 0; color: var(--muted, #5f6269); font-size: .82rem; } .run-again pre { flex: 1 1 18rem; margin: 0; overflow-x: auto; padding: 0; background: none; }
.run-card details + details { border-top: 1px solid var(--line, #e3e3dd); }
.run-card summary { cursor: pointer; padding: .7rem 1.1rem; font-weight: 560; } .run-card summary:hover { background: var(--sunken, #f3f3ef); }
.run-card summary:focus-visible { outline-offset: -3px; }
.run-fold { padding: .1rem 1.1rem 1rem; }
.run-fold pre { margin: 0; padding: .9rem 1rem; overflow: auto; max-height: 34rem; background: var(--sunken, #f3f3ef); border-radius: 10px; line-height: 1.5; }
.run-card code, .run-card pre { font: 12.5px/1.5 var(--mono, monospace); } .run-card pre code { white-space: pre; }
.run-facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: .45rem 2rem; margin: 0; }
.run-facts div { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: .75rem; } .run-facts dt { color: var(--muted, #5f6269); overflow-wrap: anywhere; } .run-facts dd { margin: 0; overflow-wrap: anywhere; }
.run-table { overflow-x: auto; margin: 0 -1.1rem; } .run-table table { min-width: 52rem; }
.run-muted { color: var(--muted, #5f6269); font-size: .82rem; }
.run-metric { white-space: nowrap; font-size: .82rem; color: var(--muted, #5f6269); margin-right: .6rem; display: inline-block; } .run-metric b { color: var(--text, #1a1b1e); font-weight: 560; }
.run-status { font-weight: 560; } .run-status.ran { color: var(--good, #1c7a4a); } .run-status.cached { color: var(--accent, #4a4fd0); } .run-status.failed { color: var(--bad, #b3312c); } .run-status.interrupted { color: var(--warn, #8a5a00); } .run-status.skipped { color: var(--muted, #5f6269); }
@media (max-width: 760px) { .run-facts div { grid-template-columns: 5.5rem minmax(0, 1fr); } }
@media print { .run-again .button { display: none; } .run-graph { max-height: none; } .run-graph > div { min-width: 0 !important; } }
`;
