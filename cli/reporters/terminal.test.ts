import { expect, it } from 'vitest';
import type { RunEvent } from '../../engine/events.ts';
import type { Cli } from '../command.ts';
import { plainReporter } from './plain.ts';
import { terminalReporter } from './terminal.ts';

const events: RunEvent[] = [
  { type: 'run-started', time: 0, run: 'r', workflow: 'w', steps: [{ id: 'all', use: 'filter', needs: [] }] },
  {
    type: 'steps-added',
    time: 1,
    step: 'all',
    steps: ['a', 'b'].map((id) => ({ id: `all[id=${id}]`, use: 'filter', needs: [] })),
  },
  { type: 'step-held', time: 2, step: 'all[id=a]', pools: ['gpu', 'disk'] },
];

it.each([
  ['on a terminal', terminalReporter],
  ['elsewhere', plainReporter],
])('tells %s which steps one stands for, and which pools are full', (_, reporterOf) => {
  let text = '';
  const cli: Cli = {
    cwd: '/',
    env: {},
    out() {},
    async outAll() {},
    err(part) {
      text += part;
    },
    terminal: { out: false, err: true },
    paint: (_, painted) => painted,
    columns: 100,
    signal: new AbortController().signal,
  };
  const reporter = reporterOf(cli);
  for (const event of events) reporter.on(event);
  reporter.end();
  expect(text).toContain('  … all stands for 2 steps\n');
  expect(text).toContain('  … all[id=a]: waits for room in the pool gpu and the pool disk\n');
});
