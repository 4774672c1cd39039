import { expect, it } from 'vitest';
import { exampleRecord, exampleStep } from '../../test/run-record.ts';
import { refuseUnfinished } from './refusals.ts';

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
