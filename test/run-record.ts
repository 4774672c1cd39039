import type { Artefact } from '../engine/artefacts.ts';
import { digestOf } from '../engine/digest.ts';
import type { Fingerprint } from '../engine/fingerprint/fingerprint.ts';
import {
  countSteps,
  noCost,
  type RunRecord,
  recordFormat,
  type StepRecord,
} from '../engine/record/record.ts';
import { thisProcess } from '../engine/record/run-folder.ts';

export function exampleTable(name: string): Artefact {
  const digest = digestOf(`rows of ${name}`);
  return {
    kind: 'table',
    digest,
    blob: digestOf(`stored ${name}`),
    bytes: 123,
    rows: 10,
    ids: digest,
    fields: ['id', 'text'],
  };
}

export function exampleFingerprint(change: Partial<Fingerprint> = {}): Fingerprint {
  return {
    step_type: 'cluster',
    code: digestOf('code'),
    packages: { 'onnxruntime-node': '1.30.0' },
    parameters: { method: 'kmeans', k: 77 },
    params: { topics: 77 },
    inputs: { rows: digestOf('rows of unique') },
    files: { 'data/queries.jsonl': digestOf('file') },
    models: { 'all-minilm-l6-v2': digestOf('weights') },
    env: { REGION: digestOf('eu') },
    seed: 42,
    formats: 1,
    ...change,
  };
}

export function exampleStep(id: string, change: Partial<StepRecord> = {}): StepRecord {
  return {
    id,
    base: id,
    use: 'cluster',
    matrix: null,
    needs: ['unique'],
    status: 'ran',
    reason: 'with.k 50 → 77',
    key: digestOf(`key of ${id}`),
    fingerprint: exampleFingerprint(),
    uncached: null,
    inputs: { rows: [{ run: null, step: 'unique', output: 'rows', digest: digestOf('rows of unique') }] },
    outputs: { rows: exampleTable(id) },
    duration_ms: 120,
    rows: 10,
    rows_computed: 10,
    rows_cached: 0,
    rows_failed: 0,
    metrics: { v_measure: 0.77, clusters: 77, method: 'kmeans', converged: true },
    warnings: [],
    attempts: 1,
    error: null,
    cost: noCost,
    ...change,
  };
}

/** A record with something in every member. */
export function exampleRecord(change: Partial<RunRecord> = {}): RunRecord {
  const digest = digestOf('some content');
  const steps = change.steps ?? [
    exampleStep('topics'),
    exampleStep('answers[model=a]', {
      base: 'answers',
      matrix: { model: 'a' },
      status: 'failed',
      error: {
        code: 'missing-field',
        message: 'rows have no field "text"',
        hint: 'name it with: text: …',
        stack: 'Error: …',
        problem: {
          code: 'missing-field',
          severity: 'error',
          message: 'rows have no field "text"',
          place: { file: 'workflow.yaml', line: 3, column: 7, length: 4 },
          hint: 'name it',
          trail: [{ place: { file: 'a.yaml', line: 1, column: 1, length: 1 }, message: 'included here' }],
        },
      },
      outputs: {},
    }),
    exampleStep('vectors', {
      status: 'cached',
      uncached: 'data/a.csv cannot be read (EACCES)',
      key: null,
      fingerprint: null,
      warnings: ['3 texts were cut'],
      outputs: {
        vectors: { kind: 'matrix', digest, blob: digest, bytes: 9, rows: 10, columns: 384, ids: digest },
      },
    }),
    exampleStep('page', {
      status: 'skipped',
      reason: 'when is false: steps.scores.metrics.v_measure > 0.9',
      skip_cause: 'when',
      rows: null,
      outputs: {
        page: { kind: 'files', digest, bytes: 9, files: [{ name: 'report.html', digest, bytes: 9 }] },
      },
    }),
  ];
  return {
    format: recordFormat,
    id: '20261121-091502-support_topics-3f9a',
    status: 'succeeded',
    started: '2026-11-21T09:15:02.123Z',
    finished: '2026-11-21T09:15:03.123Z',
    duration_ms: 1000,
    process: thisProcess(),
    summary: {
      workflow: 'support_topics',
      path: 'workflows/support-topics.yaml',
      steps: countSteps(steps),
      cost: noCost,
    },
    pins: [digest],
    command: ['run', 'workflows/support-topics.yaml', '--param', 'topics=77'],
    root: '/home/ada/support',
    cwd: '',
    workflow: {
      name: 'support_topics',
      description: 'What do customers ask about?',
      path: 'workflows/support-topics.yaml',
      digest,
      sources: [{ path: 'workflows/support-topics.yaml', digest, text: 'name: support_topics\nsteps:\n' }],
    },
    params: { topics: 77, source: 'data/queries.jsonl' },
    seed: 42,
    git: {
      commit: '78f14bca096353e46a365315b55995383bc5d29b',
      branch: 'main',
      remote: 'https://example.com/support.git',
      dirty: true,
      patch: { digest, bytes: 321, redacted: false },
      untracked: [{ path: 'data/queries.jsonl', digest }],
    },
    environment: {
      engine: '0.1.0',
      node: '24.21.0',
      os: { type: 'Linux', release: '6.1' },
      arch: 'x64',
      cpu: { model: 'A CPU', count: 2 },
      gpus: ['A GPU'],
      memory_bytes: 8e9,
      lockfile: { path: 'package-lock.json', digest },
      packages: { 'onnxruntime-node': '1.30.0' },
    },
    models: [
      { name: 'all-minilm-l6-v2', asked: null, served: [], digest },
      { name: 'writer', asked: 'gpt-5-mini', served: ['gpt-5-mini-2026-01-01'], digest: null },
    ],
    files: [{ path: 'data/queries.jsonl', digest, bytes: 1234, pinned: true }],
    steps,
    warnings: ['the project is not in a git repository'],
    ...change,
  };
}
