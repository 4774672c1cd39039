import { expect, it } from 'vitest';
import { exampleRecord, exampleStep } from '../../test/run-record.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import { refuseAnswers, refuseUnfinished } from './refusals.ts';

it('does not ask language models again', () => {
  const steps = (...names: string[]) =>
    ({
      steps: [
        { id: 'rows' },
        { id: 'labels', languageModels: names.map((name) => ({ parameter: 'model', name, place: null })) },
      ],
    }) as unknown as ResolvedWorkflow;
  expect(() => refuseAnswers(steps())).not.toThrow();
  expect(() => refuseAnswers(steps('writer'))).toThrow(
    'labels asks a language model: this version cannot take its answers from the record',
  );
});

it.each([
  ['a run that goes on', { status: 'running' as const }, 'is still running'],
  ['a run that was killed as it started', { steps: [] }, 'did no step'],
  [
    'a run of skipped steps',
    { steps: [exampleStep('a', { status: 'skipped', reason: 'interrupted' })] },
    'did no step',
  ],
])('%s cannot be reproduced', (_, change, message) => {
  expect(() => refuseUnfinished(exampleRecord(change))).toThrow(message);
});
