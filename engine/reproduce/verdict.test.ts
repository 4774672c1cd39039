import { describe, expect, it } from 'vitest';
import { exampleFingerprint, exampleStep } from '../../test/run-record.ts';
import { digestOf } from '../digest.ts';
import type { StepRecord } from '../record/record.ts';
import type { OutputComparison, Sameness } from './compare.ts';
import { judge, type StepPair } from './verdict.ts';

const output = (verdict: Sameness, same = 10): OutputComparison => ({
  output: 'rows',
  verdict,
  recorded: digestOf('old'),
  now: digestOf(verdict === 'identical' ? 'old' : 'now'),
  rows: { of: 10, same, within: 0 },
  largest: null,
  difference: null,
});

/** A step that was done both times. */
function pair(id: string, verdict: Sameness, more: Partial<StepPair> & { change?: object } = {}): StepPair {
  const { change = {}, ...rest } = more;
  const old = exampleStep(id, { needs: [] });
  const now = exampleStep(id, { needs: [], fingerprint: exampleFingerprint(change) });
  return {
    old,
    now,
    outputs: [output(verdict, verdict === 'identical' ? 10 : 4)],
    metrics: [],
    volatile: false,
    ...rest,
  };
}

const failure = (message: string): Partial<StepRecord> => ({
  status: 'failed',
  outputs: {},
  error: { code: 'boom', message, hint: null, stack: null, problem: null },
});

describe('a verdict', () => {
  it('is identical when all steps are', () => {
    expect(judge([pair('a', 'identical'), pair('b', 'identical')], [])).toMatchObject({
      verdict: 'identical',
      first_difference: null,
      score: { steps: { same: 2, of: 2, share: 1 }, rows: { same: 20, of: 20 }, lowered: [] },
    });
  });

  it('names the first step that differs, with what differs in it', () => {
    const verdict = judge(
      [
        pair('a', 'identical'),
        pair('b', 'different', { change: { seed: 43 } }),
        pair('c', 'different', {
          old: exampleStep('c', {
            needs: ['b'],
            inputs: { rows: [{ run: null, step: 'b', output: 'rows', digest: digestOf('old') }] },
          }),
          now: exampleStep('c', {
            inputs: { rows: [{ run: null, step: 'b', output: 'rows', digest: digestOf('now') }] },
          }),
        }),
      ],
      [],
    );
    expect(verdict).toMatchObject({
      verdict: 'different',
      first_difference: { step: 'b', causes: ['seed 42 → 43'] },
      score: { steps: { same: 1, of: 3 }, rows: { same: 18, of: 30 } },
    });
    expect(verdict.steps[2]!.causes).toEqual(['input rows (from b) came out otherwise']);
    expect(verdict.score.lowered.map(({ step }) => step)).toEqual(['b', 'c']);
  });

  it('names the surroundings where nothing in the record differs', () => {
    const environment = [
      { what: 'cpu', recorded: 'A', now: 'B', steps: null },
      { what: 'model m', recorded: 'x', now: 'y', steps: ['z'] },
    ];
    const { first_difference } = judge([pair('a', 'different')], environment);
    expect(first_difference!.causes).toEqual([
      expect.stringContaining('nothing that is in the record differs'),
      'perhaps cpu: A → B',
    ]);
  });

  it('takes the same failure and the same skip as the same, and another failure as another', () => {
    const one = (old: Partial<StepRecord>, now: Partial<StepRecord>) =>
      judge(
        [{ ...pair('a', 'identical'), outputs: [], old: exampleStep('a', old), now: exampleStep('a', now) }],
        [],
      );
    expect(one(failure('x'), failure('x')).verdict).toBe('identical');
    expect(one(failure('x'), failure('y')).verdict).toBe('different');
    expect(one(failure('x'), {}).steps[0]).toMatchObject({
      verdict: 'different',
      detail: 'failed in the record, done now',
    });
    expect(one({}, failure('gone')).steps[0]).toMatchObject({
      verdict: 'different',
      detail: 'failed now: boom: gone',
      causes: [expect.stringContaining('nothing that is in the record differs')],
    });
    const skipped: Partial<StepRecord> = {
      status: 'skipped',
      reason: 'when is false: params.x',
      outputs: {},
    };
    expect(one(skipped, skipped).verdict).toBe('identical');
    expect(one(skipped, {}).verdict).toBe('different');
    // Another version may say it in other words, and shows other values.
    expect(one(skipped, { ...skipped, reason: 'its condition was false' }).steps[0]).toMatchObject({
      verdict: 'identical',
      detail: 'skipped both times: its condition was false (in the record: when is false: params.x)',
    });
  });

  it('names models that were asked again as the cause, where nothing else is', () => {
    const cause = (more: Parameters<typeof pair>[2]) =>
      judge([pair('a', 'different', more)], []).first_difference!.causes;
    expect(cause({ asked: true })).toEqual(['its language models were asked again']);
    expect(cause({ asked: true, change: { seed: 43 } })).toEqual(['seed 42 → 43']);
    expect(cause({})[0]).toContain('nothing that is in the record differs');
  });

  it('tells what the run did not get to by its cause, not by its words', () => {
    const one = (old: Partial<StepRecord>) =>
      judge(
        [{ ...pair('a', 'identical'), old: exampleStep('a', { status: 'skipped', outputs: {}, ...old }) }],
        [],
      ).steps[0]!;
    for (const skip_cause of ['failed', 'stopped'] as const)
      expect(one({ reason: 'in other words', skip_cause }).detail).toContain('the run did not get to it');
    expect(one({ reason: 'interrupted', skip_cause: 'when' }).verdict).toBe('different');
    // Records of early versions have the words only.
    for (const reason of ['another step failed', 'interrupted', 'needs x, which failed'])
      expect(one({ reason }).verdict).toBe('not_comparable');
    for (const reason of ['when is false: params.x', 'needs x, which was skipped', 'x has no rows'])
      expect(one({ reason }).verdict).toBe('different');
  });

  it('cannot compare what the run did not get to, what has no cache, and what needs such a step', () => {
    const stopped = exampleStep('d', { status: 'skipped', reason: 'another step failed', outputs: {} });
    const verdict = judge(
      [
        pair('a', 'identical'),
        pair('b', 'different', { volatile: true }),
        pair('c', 'different', { old: exampleStep('c', { needs: ['b'] }) }),
        { ...pair('d', 'identical'), old: stopped, now: undefined, outputs: [] },
      ],
      [],
    );
    expect(verdict.steps.map((step) => step.verdict)).toEqual([
      'identical',
      'not_comparable',
      'not_comparable',
      'not_comparable',
    ]);
    expect(verdict).toMatchObject({ verdict: 'identical', score: { steps: { same: 1, of: 1 } } });
  });
});
