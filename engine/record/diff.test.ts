import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleFingerprint, exampleRecord, exampleStep, exampleTable } from '../../test/run-record.ts';
import { digestOf } from '../digest.ts';
import { diffRuns } from './diff.ts';
import { diffLines } from './text-diff.ts';

describe('the difference of two runs', () => {
  it('of a run and itself is nothing', () => {
    const record = exampleRecord();
    expect(diffRuns(record, record)).toMatchObject({
      params: [],
      seed: null,
      sources: [],
      files: [],
      git: [],
      environment: [],
      models: [],
      steps: [],
      unchanged: 4,
    });
  });

  it('does not count time, nor that a step came from the cache', () => {
    const old = exampleRecord({ steps: [exampleStep('a')] });
    const now = exampleRecord({
      id: 'later',
      started: '2026-11-22T00:00:00.000Z',
      steps: [exampleStep('a', { status: 'cached', duration_ms: 0, reason: 'unchanged', attempts: 0 })],
    });
    expect(diffRuns(old, now)).toMatchObject({ steps: [], unchanged: 1 });
  });

  it('names params, workflow lines, data, repository, machine and models', () => {
    const old = exampleRecord();
    const now = exampleRecord({
      params: { topics: 50, source: 'data/queries.jsonl' },
      seed: 7,
      workflow: {
        ...old.workflow,
        sources: [
          {
            ...old.workflow.sources[0]!,
            digest: digestOf('x'),
            text: 'name: support_topics\nseed: 7\nsteps:\n',
          },
          { path: 'prompts/label.hbs', digest: digestOf('y'), text: 'Name it.' },
        ],
      },
      files: [{ path: 'data/queries.jsonl', digest: digestOf('new'), bytes: 1, pinned: true }],
      git: { ...old.git!, commit: 'ffff', dirty: false },
      environment: { ...old.environment, packages: { 'onnxruntime-node': '1.31.0' } },
      models: [],
    });
    expect(diffRuns(old, now)).toMatchObject({
      params: [{ path: 'topics', old: 77, now: 50 }],
      seed: { old: 42, now: 7 },
      sources: [
        {
          path: 'workflows/support-topics.yaml',
          change: 'changed',
          lines: [
            { kind: 'same', text: 'name: support_topics', old: 1, now: 1 },
            { kind: 'added', text: 'seed: 7', old: null, now: 2 },
            { kind: 'same', text: 'steps:', old: 2, now: 3 },
            { kind: 'same', text: '', old: 3, now: 4 },
          ],
        },
        {
          path: 'prompts/label.hbs',
          change: 'added',
          lines: [{ kind: 'added', text: 'Name it.', old: null, now: 1 }],
        },
      ],
      files: [
        {
          path: 'data/queries.jsonl',
          change: 'changed',
          old: { digest: old.files[0]!.digest, bytes: 1234 },
          now: { digest: digestOf('new'), bytes: 1 },
        },
      ],
      patch: null,
      git: [{ path: 'commit' }, { path: 'dirty', old: true, now: false }],
      environment: [{ path: 'packages.onnxruntime-node', old: '1.30.0', now: '1.31.0' }],
      models: [{ path: 'all-minilm-l6-v2' }, { path: 'writer' }],
    });
  });

  it('names what differs in each step', () => {
    const old = exampleRecord({ steps: [exampleStep('a'), exampleStep('b'), exampleStep('gone')] });
    const now = exampleRecord({
      steps: [
        exampleStep('new'),
        exampleStep('a', {
          fingerprint: exampleFingerprint({ parameters: { method: 'kmeans', k: 50 } }),
          outputs: { rows: exampleTable('other') },
          metrics: { v_measure: 0.8, clusters: 50, method: 'kmeans' },
          duration_ms: 300,
        }),
        exampleStep('b', {
          status: 'failed',
          outputs: {},
          fingerprint: null,
          uncached: 'a.csv cannot be read',
        }),
      ],
    });
    const { steps, unchanged } = diffRuns(old, now);
    expect(unchanged).toBe(0);
    expect(steps).toEqual([
      expect.objectContaining({ id: 'new', change: 'added', status: { old: null, now: 'ran' } }),
      {
        id: 'a',
        change: 'changed',
        status: { old: 'ran', now: 'ran' },
        reasons: ['with.k 77 → 50'],
        outputs: [expect.objectContaining({ name: 'rows', change: 'changed', kind: 'table' })],
        rows: { old: 10, now: 10 },
        duration_ms: { old: 120, now: 300 },
        metrics: [
          { metric: 'v_measure', old: 0.77, now: 0.8, difference: expect.closeTo(0.03) },
          { metric: 'clusters', old: 77, now: 50, difference: -27 },
          { metric: 'converged', old: true, now: null, difference: null },
        ],
      },
      expect.objectContaining({
        id: 'b',
        status: { old: 'ran', now: 'failed' },
        reasons: ['not comparable: a.csv cannot be read'],
        outputs: [expect.objectContaining({ name: 'rows', change: 'removed' })],
      }),
      expect.objectContaining({ id: 'gone', change: 'removed', status: { old: 'ran', now: null } }),
    ]);
  });
});

describe('the difference of two texts', () => {
  const shown = (old: string, now: string) =>
    diffLines(old, now).map(({ kind, text }) => `${{ same: ' ', removed: '-', added: '+' }[kind]}${text}`);

  it('has two lines around each change', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const changed = lines.with(10, 'other');
    expect(shown(lines.join('\n'), changed.join('\n'))).toEqual([
      ' line 8',
      ' line 9',
      '-line 10',
      '+other',
      ' line 11',
      ' line 12',
    ]);
    expect(shown('a', 'a')).toEqual([]);
    expect(shown('', 'a')).toEqual(['-', '+a']);
  });

  it('is the shortest: the example of Myers', () => {
    const letters = (text: string) => text.split('').join('\n');
    const edits = diffLines(letters('abcabba'), letters('cbabac')).filter(({ kind }) => kind !== 'same');
    expect(edits).toHaveLength(5);
  });

  it('leads from the one text to the other', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const lines = diffLines(a.join('\n'), b.join('\n'));
        const made = a.join('\n').split('\n');
        // From the end, so that numbers of lines before stay true.
        const removed = lines.flatMap(({ kind, old }) => (kind === 'removed' ? [old!] : []));
        for (const line of removed.toReversed()) made.splice(line - 1, 1);
        for (const { kind, now, text } of lines) if (kind === 'added') made.splice(now! - 1, 0, text);
        expect(made).toEqual(b.join('\n').split('\n'));
        for (const { old, now, text } of lines) {
          if (old !== null) expect(a.join('\n').split('\n')[old - 1]).toBe(text);
          if (now !== null) expect(b.join('\n').split('\n')[now - 1]).toBe(text);
        }
      }),
    );
  });

  it('of texts with nothing in common is the one for the other', () => {
    const [a, b] = ['a', 'b'].map((name) =>
      Array.from({ length: 3000 }, (_, index) => `${name}${index}`).join('\n'),
    );
    const lines = diffLines(a!, b!);
    expect(lines).toHaveLength(6000);
    expect(lines[2999]!.kind).toBe('removed');
    expect(lines[3000]!.kind).toBe('added');
  });
});
