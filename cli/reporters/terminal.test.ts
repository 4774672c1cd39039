import { expect, it, vi } from 'vitest';
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

/** What a reporter writes of these events. */
function told(reporterOf: typeof terminalReporter, what: readonly RunEvent[]): string {
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
  for (const event of what) reporter.on(event);
  reporter.end();
  return text;
}

it.each([
  { done: 20, cached: 0, shows: '20/1,000 rows 10 rows/s' },
  { done: 100, cached: 0, shows: '100/1,000 rows 50 rows/s ETA 18.0 s' },
  { done: 920, cached: 900, shows: '920/1,000 rows 10 rows/s ETA 8.0 s' },
  { done: 1000, cached: 0, shows: '1,000/1,000 rows 500 rows/s' },
])(
  'tells the time for the rest once enough is done: $done, $cached of it cached',
  ({ done, cached, shows }) => {
    vi.useFakeTimers({ now: 2000 });
    try {
      const text = told(terminalReporter, [
        events[0]!,
        { type: 'step-started', time: 0, step: 'all', attempt: 1, reason: 'new' },
        { type: 'step-progress', time: 2000, step: 'all', done, total: 1000, cached, unit: 'rows' },
        events[2]!,
      ]);
      expect(text.split('\n').map((line) => line.trimEnd())).toContainEqual(
        expect.stringMatching(new RegExp(`${shows}$`)),
      );
    } finally {
      vi.useRealTimers();
    }
  },
);

it.each([
  ['on a terminal', terminalReporter],
  ['elsewhere', plainReporter],
])('tells %s which steps one stands for, and which pools are full', (_, reporterOf) => {
  const text = told(reporterOf, events);
  expect(text).toContain('  … all stands for 2 steps\n');
  expect(text).toContain('  … all[id=a]: waits for room in the pool gpu and the pool disk\n');
});
