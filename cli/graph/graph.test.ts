import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import { toDot } from './dot.ts';
import { type Graph, nodeFacts, nodeLines, plainEdges } from './graph.ts';
import { plainLayout } from './layout.ts';
import { folderLayouts } from './layout-cache.ts';
import { toMermaid } from './mermaid.ts';
import { toSvg } from './svg.ts';

const support: Graph = {
  nodes: [
    { id: 'queries', use: 'load', status: 'cached', rows: 10003, duration_ms: 2 },
    { id: 'vectors', use: 'embed', status: 'ran', rows: 9996, duration_ms: 41200 },
    { id: 'topics', use: 'cluster', status: 'failed' },
    { id: 'answers[model=a,prompt=x]', use: './steps/ask.ts', status: 'skipped' },
    { id: 'page', use: 'report' },
  ],
  edges: [
    { from: 'queries', to: 'vectors' },
    { from: 'queries', to: 'topics', label: 'rows' },
    { from: 'vectors', to: 'topics', label: 'vectors' },
    { from: 'topics', to: 'answers[model=a,prompt=x]' },
    { from: 'topics', to: 'page', label: 'rows' },
    { from: 'topics', to: 'page', label: 'when' },
    { from: 'answers[model=a,prompt=x]', to: 'page' },
  ],
};
const nasty = [
  '"]; </text><script>alert(1)</script> --> n0',
  '\\N " \\',
  'a\nb\0c',
  '#quot; | {x} `y`',
  '\u202e\ud800',
];
const hostile: Graph = {
  nodes: nasty.map((id) => ({ id, use: id })),
  edges: nasty.slice(1).map((to) => ({ from: nasty[0]!, to, label: to })),
};

/** A grid of layers, each node fed by three of the layer before. */
function grid(layers: number, width: number): Graph {
  const graph: Graph = { nodes: [], edges: [] };
  for (let layer = 0; layer < layers; layer++) {
    for (let index = 0; index < width; index++) {
      graph.nodes.push({ id: `s${layer}_${index}`, use: 'exec', status: 'ran' });
      for (const from of layer > 0 ? [index, (index * 7) % width, (index + 1) % width] : [])
        graph.edges.push({ from: `s${layer - 1}_${from}`, to: `s${layer}_${index}` });
    }
  }
  return graph;
}

describe('graph', () => {
  test('an instance of a matrix shows its step and its axes', () => {
    expect(nodeLines(support.nodes[3]!)).toEqual({ title: 'answers', subtitle: 'model=a · prompt=x' });
    expect(nodeLines(support.nodes[0]!)).toEqual({ title: 'queries', subtitle: 'load' });
  });

  test('facts are what is known', () => {
    expect(support.nodes.map(nodeFacts)).toEqual(['10,003 rows · cached', '9,996 rows · 41.2 s', '', '', '']);
  });

  test('edges of a pair are one; those to nowhere are none', () => {
    const edges = plainEdges({
      nodes: support.nodes,
      edges: [...support.edges, { from: 'page', to: 'gone' }],
    });
    expect(edges).toHaveLength(6);
    expect(edges.find(({ from, to }) => from === 2 && to === 4)?.label).toBe('rows, when');
  });
});

describe('toMermaid', () => {
  test('names nodes by number and quotes their texts', () => {
    expect(toMermaid({ nodes: support.nodes.slice(0, 3), edges: support.edges })).toBe(
      `flowchart LR
  n0("queries<br/>load<br/>10,003 rows · cached"):::cached
  n1("vectors<br/>embed<br/>9,996 rows · 41.2 s"):::ran
  n2("topics<br/>cluster"):::failed
  n0 --> n1
  n0 -->|"rows"| n2
  n1 -->|"vectors"| n2
  classDef ran fill:#e3f4ea,stroke:#1c7a4a,color:#10301f
  classDef cached fill:#e8e9fb,stroke:#4a4fd0,color:#1d1f55
  classDef failed fill:#fbe6e5,stroke:#b3312c,color:#5a1512
`.replaceAll('#44;', ','),
    );
  });

  test('no text breaks out of its quotes or its line', () => {
    for (const line of toMermaid(hostile).trimEnd().split('\n').slice(1))
      expect(line).toMatch(
        /^ {2}n\d+(\("[^"<>|{}[\]\\]*(<br\/>[^"<>|{}[\]\\]*)*"\)| -->(\|"[^"<>|]*"\|)? n\d+)$/,
      );
  });
});

describe('toDot', () => {
  test('quotes ids and labels', () => {
    const dot = toDot(support);
    expect(dot).toContain('"answers[model=a,prompt=x]" [label="answers\\nmodel=a · prompt=x"');
    expect(dot).toContain('"topics" -> "page" [label="rows, when"];');
  });

  test('no text breaks out of its quotes', () => {
    for (const line of toDot(hostile).trimEnd().split('\n').slice(4, -1))
      expect(line.replace(/"(?:[^"\\]|\\.)*"/g, '""')).toMatch(/^ {2}""( -> "")?( \[label=""\])?;$/);
  });
});

describe('toSvg', () => {
  test('draws every step and edge, the same way each time', async () => {
    const svg = await toSvg(support);
    expect(svg).toBe(await toSvg(structuredClone(support)));
    expect(svg.match(/<rect class="box"/g)).toHaveLength(5);
    expect(svg.match(/<path class="edge"/g)).toHaveLength(6);
    expect(svg).toContain('>model=a · prompt=x</text>');
    expect(svg).toContain('<g class="failed"');
    expect(svg).not.toContain('NaN');
    // The labels stand between their steps, not in a corner.
    const box = (id: string) =>
      Number(new RegExp(`translate\\(([\\d.]+) [\\d.]+\\)"><title>${id},`).exec(svg)![1]);
    const label = Number(/class="flow" x="([\d.]+)"[^>]*>vectors</.exec(svg)![1]);
    expect(label).toBeGreaterThan(box('vectors'));
    expect(label).toBeLessThan(box('topics'));
  });

  test('a layout is made once for all runs of a workflow', async () => {
    const folder = join(folderWith({}), 'layouts');
    const layouts = folderLayouts(folder);
    const first = await toSvg(support, { layouts });
    const [file] = readdirSync(folder);
    const marked = JSON.parse(readFileSync(join(folder, file!), 'utf8')) as { width: number };
    writeFileSync(join(folder, file!), JSON.stringify({ ...marked, width: 4321 }));
    const later: Graph = structuredClone(support);
    later.nodes[1] = { ...later.nodes[1]!, status: 'cached', rows: 9, duration_ms: 3 };
    expect(await toSvg(later, { layouts })).toContain('viewBox="0 0 4321 ');
    writeFileSync(join(folder, file!), 'damaged');
    expect(await toSvg(support, { layouts })).toBe(first);
  });

  test('texts stay texts', async () => {
    const svg = await toSvg(hostile);
    expect(svg).not.toContain('<script');
    expect(new Set(svg.match(/<[a-z]+/g))).toEqual(
      new Set(['<svg', '<style', '<defs', '<marker', '<path', '<g', '<text', '<title', '<rect']),
    );
    expect(svg.isWellFormed()).toBe(true);
  });

  test('an empty graph, one step, and long names', async () => {
    expect(await toSvg({ nodes: [], edges: [] })).toContain('Graph of 0 steps');
    const svg = await toSvg({ nodes: [{ id: 'x'.repeat(300), use: 'load' }], edges: [] });
    expect(Number(/width="(\d+)"/.exec(svg)![1])).toBeLessThan(320);
  });

  test('1,000 steps take no more than some seconds', async () => {
    const start = performance.now();
    const svg = await toSvg(grid(20, 50));
    expect(performance.now() - start).toBeLessThan(5000);
    expect(svg.match(/<rect class="box"/g)).toHaveLength(1000);
  });
});

describe('plainLayout', () => {
  test('puts every step behind those it needs, and none over another', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }).chain((nodes) =>
          fc.record({
            sizes: fc.array(
              fc.record({
                width: fc.integer({ min: 20, max: 200 }),
                height: fc.integer({ min: 20, max: 80 }),
              }),
              {
                minLength: nodes,
                maxLength: nodes,
              },
            ),
            pairs: fc.array(fc.tuple(fc.nat(nodes - 1), fc.nat(nodes - 1))),
          }),
        ),
        ({ sizes, pairs }) => {
          const edges = pairs.filter(([a, b]) => a < b).map(([from, to]) => ({ from, to, label: null }));
          const { boxes, width, height } = plainLayout({ sizes, edges });
          for (const { from, to } of edges)
            expect(boxes[to]!.x).toBeGreaterThanOrEqual(boxes[from]!.x + boxes[from]!.width);
          boxes.forEach((a, index) => {
            expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height).toBe(true);
            for (const b of boxes.slice(index + 1))
              expect(
                a.x + a.width <= b.x ||
                  b.x + b.width <= a.x ||
                  a.y + a.height <= b.y ||
                  b.y + b.height <= a.y,
              ).toBe(true);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});
