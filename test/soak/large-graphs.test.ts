import { expect, it } from 'vitest';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

interface Plan {
  work: boolean;
  steps: { id: string; state: string; reason: string; causes: string[] }[];
}

const data = { 'data.jsonl': jsonl(numberedTexts(3)) };

async function planOf(project: TestProject): Promise<Plan> {
  const { code, out, err } = await project.reprise('plan', 'w.yaml', '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Plan;
}

it('plans 5,000 steps', async () => {
  const layers = 50;
  const width = 99;
  const name = (layer: number, at: number) => `s${layer}_${at}`;
  const steps = Array.from({ length: layers * width }, (_, index) => {
    const layer = Math.floor(index / width);
    const at = index % width;
    // Each reads one step of the layer before and comes after another.
    const from = layer === 0 ? 'rows' : name(layer - 1, at);
    const after = layer === 0 ? '' : `, after: ${name(layer - 1, (at + 1) % width)}`;
    return `  ${name(layer, at)}: { use: filter, from: ${from}${after}, with: { where: "row.id != 'x${index}'" } }\n`;
  });
  const gates = Array.from(
    { length: 49 },
    (_, at) => `  g${at}: { use: assert, from: ${name(layers - 1, at)}, with: { that: 'rows == 3' } }\n`,
  );
  using project = new TestProject({
    ...data,
    'w.yaml': `name: large\nsteps:\n  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n${steps.join('')}${gates.join('')}`,
  });
  const all = 1 + layers * width + 49;
  expect(all).toBe(5000);
  const { work, steps: planned } = await planOf(project);
  expect(work).toBe(true);
  expect(planned).toHaveLength(all);
  expect(planned[0]).toMatchObject({ id: 'rows', state: 'run', reason: 'new' });
  // A topological order.
  const position = new Map(planned.map(({ id }, index) => [id, index]));
  for (let layer = 1; layer < layers; layer++)
    for (let at = 0; at < width; at++)
      expect(position.get(name(layer, at))).toBeGreaterThan(position.get(name(layer - 1, at))!);
  const shown = await project.reprise('plan', 'w.yaml');
  const lines = shown.out.trimEnd().split('\n');
  expect(lines).toHaveLength(all + 1);
  const states = Map.groupBy(planned, ({ state }) => state);
  const unknown = states.get('unknown')?.length ?? 0;
  expect(lines.at(-1)).toBe(
    [`${all - unknown} to run`, ...(unknown > 0 ? [`${unknown} unknown`] : [])].join(', '),
  );
  expect((await project.reprise('plan', 'w.yaml', '--exit-code')).code).toBe(10);
  expect((await project.reprise('plan', 'w.yaml', '--only', 'g7', '--json')).out).toContain('"id":"g7"');
});

it('plans and runs 1,000 instances of a matrix', async () => {
  const values = Array.from({ length: 1000 }, (_, index) => index);
  using project = new TestProject({
    ...data,
    'w.yaml': `name: wide
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  part: { use: filter, from: rows, matrix: { n: [${values.join(', ')}] }, with: { where: "row.id == 'r1' && \${{ matrix.n }} >= 0" } }
  all: { use: dedupe, from: part, with: { fields: [id] } }
`,
  });
  const { steps } = await planOf(project);
  expect(steps.map(({ id }) => id)).toEqual(['rows', ...values.map((n) => `part[n=${n}]`), 'all']);
  const run = await project.run('w.yaml');
  expect(run.code).toBe(0);
  expect(run.step('all').rows).toBe(1000);
  const shown = await project.reprise(
    'show',
    'latest',
    'all',
    '--where',
    'row.n == 999',
    '--format',
    'jsonl',
  );
  expect(JSON.parse(shown.out)).toMatchObject({ id: 'r1@n=999', row_id: 'r1', n: 999 });
  expect((await project.reprise('plan', 'w.yaml')).out).toBe('nothing to do: 1,002 steps unchanged\n');
});
