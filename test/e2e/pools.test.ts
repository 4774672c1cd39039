import { expect, it } from 'vitest';
import type { RunEvent } from '../../engine/events.ts';
import { readEvents } from '../../engine/record/event-log.ts';
import { TestProject } from '../project.ts';

/** Programs that each wait for nothing, as many as there are, with what they take. */
function programs(count: number, resources: string): string {
  return Array.from(
    { length: count },
    (_, index) =>
      `  s${index}: { use: exec, resources: ${resources}, with: { run: [node, -e, "process.exitCode = ${index} * 0"] } }`,
  ).join('\n');
}

/** The most steps that ran at once, by the events of a run. */
function mostAtOnce(events: readonly RunEvent[]): number {
  let running = 0;
  let most = 0;
  for (const { type } of events) {
    if (type === 'step-started') most = Math.max(most, ++running);
    if (type === 'step-finished') running--;
  }
  return most;
}

it('never has more steps of a pool running than the pool has room for; a profile may change the room', async () => {
  using p = new TestProject({
    'reprise.yaml': `
store: .store
pools: { gpu: 1 }
profiles:
  workstation:
    pools:
      gpu: 2
`,
    'w.yaml': `steps:\n${programs(6, '{ gpu: 1 }')}\n`,
  });
  const one = await p.run('w.yaml', '--jobs', '6');
  expect(one.statuses).toEqual([0, 1, 2, 3, 4, 5].map((index) => `s${index}:ran`));
  const events = readEvents(p.path(`runs/${one.run}/events.ndjson`));
  expect(mostAtOnce(events)).toBe(1);
  expect(events).toContainEqual(expect.objectContaining({ type: 'step-held', step: 's1', pools: ['gpu'] }));
  // Room is not part of what a result is filed under.
  expect((await p.run('w.yaml', '--profile', 'workstation')).statuses).toEqual(
    [0, 1, 2, 3, 4, 5].map((index) => `s${index}:cached`),
  );
  p.write({ 'v.yaml': `env: { V: "1" }\nsteps:\n${programs(6, '{ gpu: 1 }')}\n` });
  const two = await p.run('v.yaml', '--jobs', '6', '--profile', 'workstation');
  expect(mostAtOnce(readEvents(p.path(`runs/${two.run}/events.ndjson`)))).toBeLessThanOrEqual(2);

  const unknown = await p.reprise('run', 'w.yaml', '--profile', 'workstatio');
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('did you mean "workstation"?') });
  p.write({ 'x.yaml': `steps:\n${programs(1, '{ gpus: 1 }')}\n` });
  expect((await p.reprise('validate', 'x.yaml')).err).toMatch(
    /unknown-pool.*"gpus"[\s\S]*did you mean "gpu"\?/,
  );
});

it('lets nobody wait for a pool when the run ends', async () => {
  using p = new TestProject({
    'reprise.yaml': 'pools: { api: 1/h }\n',
    'w.yaml': `steps:
  first: { use: exec, resources: { api: 1 }, with: { run: [node, -e, "process.exit(3)"] } }
  second: { use: exec, resources: { api: 1 }, with: { run: [node, -e, ""] } }
`,
  });
  const run = await p.run('w.yaml', '--jobs', '2');
  expect(run).toMatchObject({ code: 1, status: 'failed' });
  expect(run.statuses).toEqual(['first:failed', 'second:skipped']);
});

it('profiles change params, defaults and models; the record has what they say', async () => {
  using p = new TestProject({
    'reprise.yaml': 'profiles: { all: { params: { least: 9, other: 1 } } }\n',
    'data/rows.jsonl': '{"id":"a","text":"one"}\n{"id":"b","text":"three"}\n',
    'w.yaml': `
params: { least: { type: integer, default: 4 }, most: { type: integer, default: 99 } }
profiles:
  all: { params: { most: 50 }, defaults: { with: { load: { id: id } }, retries: 3 } }
  none: { params: { least: 8 } }
steps:
  rows: { use: load, with: { path: data/rows.jsonl, text: text } }
  some: { use: filter, from: rows, with: { where: "size(row.text) > params.least && size(row.text) < params.most" } }
`,
  });
  expect((await p.run('w.yaml')).step('some').rows).toBe(1);
  const all = await p.run('w.yaml', '--profile', 'all');
  expect(all.step('some').rows).toBe(0);
  const record = JSON.parse(p.read(`runs/${all.run}/run.json`));
  expect(record).toMatchObject({ params: { least: 9, most: 50 }, profiles: ['all'] });
  expect(record.workflow.sources.map(({ path }: { path: string }) => path)).toEqual([
    'w.yaml',
    'reprise.yaml',
  ]);
  // The last one wins, and the call over all.
  const both = await p.run('w.yaml', '--profile', 'all', '--profile', 'none', '--param', 'most=40');
  expect(JSON.parse(p.read(`runs/${both.run}/run.json`)).params).toEqual({ least: 8, most: 40 });
  const plan = JSON.parse((await p.reprise('plan', 'w.yaml', '--profile', 'all', '--json')).out);
  expect(plan.work).toBe(false);
  expect((await p.reprise('graph', 'w.yaml', '--profile', 'all')).code).toBe(0);
  expect((await p.reprise('validate', 'w.yaml', '--profile', 'nobody')).err).toContain(
    'there is no profile "nobody"',
  );

  // A profile that reprise.yaml gets later, or changes, is seen although the workflow is the same.
  p.write({ 'reprise.yaml': 'profiles: { all: { params: { least: 2 } } }\n' });
  expect((await p.run('w.yaml', '--profile', 'all')).step('some').rows).toBe(2);
});
