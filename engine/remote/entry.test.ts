import { describe, expect, it } from 'vitest';
import type { FilesArtefact } from '../artefacts.ts';
import { digestOf } from '../digest.ts';
import { type Fingerprint, fingerprintKey } from '../fingerprint/fingerprint.ts';
import type { StepEntry } from '../store/step-index.ts';
import { openEntry, sealEntry } from './entry.ts';

const fingerprint = { step_type: 'page', parameters: {} };
const key = fingerprintKey(fingerprint as unknown as Fingerprint);
const files = (name: string): FilesArtefact => ({
  kind: 'files',
  digest: digestOf('x'),
  bytes: 1,
  files: [{ name, digest: digestOf('x'), bytes: 1 }],
});
const opened = (outputs: unknown) => {
  const entry = {
    fingerprint,
    outputs,
    metrics: {},
    warnings: [],
    rows_failed: 0,
    duration_ms: 1,
    created: '2026-01-01',
  };
  const sealed = sealEntry(entry as unknown as StepEntry, undefined);
  return openEntry(
    sealed,
    { key, outputs: { page: { kind: 'files' }, extra: { kind: 'files', optional: true } } },
    undefined,
  );
};

describe('an entry of a shared cache', () => {
  it('is taken if it has what the step puts out', () => {
    expect(opened({ page: files('assets/page.html') })).toMatchObject({ entry: { fingerprint } });
  });

  it('may lack an output that the step does not always make', () => {
    expect(opened({ page: files('a'), extra: files('b') })).toMatchObject({ entry: { fingerprint } });
    expect(opened({ extra: files('b') })).toEqual({ refused: 'it is no entry' });
  });

  it.each(['../page.html', 'a/../../b', '/etc/x', 'a//b', 'a\\b', '..', ''])(
    'is refused with the file name %j, which would lie outside of its folder',
    (name) => expect(opened({ page: files(name) })).toEqual({ refused: 'it is no entry' }),
  );

  it.each([
    {},
    { other: files('a') },
    { page: { ...files('a'), kind: 'table' } },
    { page: files('a'), more: files('b') },
  ])('is refused with other outputs than those of the step', (outputs) =>
    expect(opened(outputs)).toEqual({ refused: 'it is no entry' }),
  );
});
