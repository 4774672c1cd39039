import { describe, expect, test } from 'vitest';
import { renderPage } from '../../steps/report/page.ts';
import { places } from '../../steps/report/places.ts';
import { commandLine, type PageRun, wrapPage } from './provenance.ts';

const digest = `sha256:${'3fa91b07c2de'.padEnd(64, '0')}`;
const run: PageRun = {
  id: '20261121-091502-support_topics-3f9a',
  status: 'succeeded',
  started: Date.UTC(2026, 10, 21, 9, 15, 2),
  duration_ms: 49_213,
  workflow: {
    name: 'support_topics',
    description: 'What do customers ask about?',
    path: 'workflows/support-topics.yaml',
    text: 'name: support_topics\n',
  },
  params: { source: 'data/queries.jsonl', topics: 77 },
  given: ['topics'],
  seed: 42,
  git: { commit: '87e59006c3ad7aa1c0ffee', branch: 'main', dirty: true },
  environment: [['Node', 'v24.21.0']],
  models: [{ name: 'all-minilm-l6-v2', digest }],
  steps: [
    {
      id: 'vectors',
      use: 'embed',
      status: 'ran',
      reason: 'with.model changed',
      duration_ms: 41_200,
      rows: 9996,
      rows_computed: 996,
      rows_cached: 9000,
      metrics: { dimensions: 384 },
      outputs: { vectors: digest },
    },
  ],
  graph: '<svg class="reprise-graph">$& $1</svg>',
};
const page = renderPage({ title: 'A page', clusterings: [], timelines: [], scores: [], tables: [] });

describe('wrapPage', () => {
  test('puts the run into its places and leaves the rest as it is', () => {
    const wrapped = wrapPage(page, run);
    for (const text of [
      run.id,
      'support_topics',
      'What do customers ask about?',
      '2026-11-21 09:15:02 UTC',
      '49.2 s',
      '87e59006c3ad',
      'with uncommitted changes',
      '<svg class="reprise-graph">$& $1</svg>',
      'reprise run workflows/support-topics.yaml --param topics=77',
      'with.model changed',
      '90.0% cached',
      `<code title="${digest}">3fa91b07c2de</code>`,
      'v24.21.0',
      'name: support_topics\n',
    ])
      expect(wrapped).toContain(text);
    for (const place of Object.values(places)) expect(wrapped).not.toContain(place);
    for (const piece of page.split(/<!--reprise:\w+-->/)) expect(wrapped).toContain(piece);
    expect(wrapPage(page, run)).toBe(wrapped);
  });

  test('leaves out what is not known', () => {
    const wrapped = wrapPage(page, {
      ...run,
      git: null,
      graph: null,
      environment: [],
      models: [],
      params: {},
      steps: [],
    });
    expect(wrapped).toContain('not in a repository');
    expect(wrapped).not.toContain('Pipeline');
    expect(wrapped).not.toContain('Environment');
  });

  test('texts of the run stay texts', () => {
    const evil = '</style></script><script>alert(1)</script><!--reprise:graph-->"\'';
    const wrapped = wrapPage(page, {
      ...run,
      id: evil,
      workflow: { name: evil, description: evil, path: evil, text: evil },
      params: { [evil]: evil },
      given: [evil],
      environment: [[evil, evil]],
      steps: [
        {
          ...run.steps[0]!,
          id: evil,
          use: evil,
          reason: evil,
          metrics: { [evil]: evil },
          outputs: { [evil]: evil },
        },
      ],
    });
    expect(wrapped.match(/<script/g)).toEqual(page.match(/<script/g));
    expect(wrapped.match(/<\/script/g)).toEqual(page.match(/<\/script/g));
    expect(wrapped).not.toContain(places.graph);
  });

  test('a page of another make gets the run at its end', () => {
    expect(wrapPage('<h1>mine</h1></BODY></html>', run)).toMatch(
      /^<h1>mine<\/h1><style>.*<\/section><\/BODY><\/html>$/s,
    );
    expect(wrapPage('<h1>mine</h1>', run)).toContain(run.id);
  });

  test('takes a few milliseconds for a page of 2 MB', () => {
    const big = page.replace('<main>', `<main>${'x'.repeat(2_000_000)}`);
    wrapPage(big, run);
    const start = performance.now();
    for (let turn = 0; turn < 5; turn++) expect(wrapPage(big, run).length).toBeGreaterThan(2_000_000);
    expect((performance.now() - start) / 5).toBeLessThan(50);
  });
});

describe('commandLine', () => {
  test('says the params that were given, quoted for a shell', () => {
    const line = (params: PageRun['params']) =>
      commandLine({
        workflow: { ...run.workflow, path: 'my flow.yaml' },
        params,
        given: Object.keys(params),
      });
    expect(line({ n: 3, name: "it's", list: [1, 'a'] })).toBe(
      `reprise run 'my flow.yaml' --param n=3 --param 'name=it'\\''s' --param 'list=[1,"a"]'`,
    );
  });
});
