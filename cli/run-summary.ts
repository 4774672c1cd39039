import type { RunRecord } from '../engine/record/record.ts';

/** What `run --json` prints: interface of its own, smaller than run.json. */
export function runSummary(record: RunRecord) {
  return {
    run: record.id,
    status: record.status,
    duration_ms: record.duration_ms,
    cost: record.summary.cost,
    steps: record.steps.map((step) => ({
      id: step.id,
      use: step.use,
      status: step.status,
      reason: step.reason,
      duration_ms: step.duration_ms,
      rows: step.rows,
      rows_computed: step.rows_computed,
      rows_cached: step.rows_cached,
      rows_failed: step.rows_failed,
      metrics: step.metrics,
      outputs: Object.fromEntries(Object.entries(step.outputs).map(([name, { digest }]) => [name, digest])),
      warnings: step.warnings,
      error: step.error && { code: step.error.code, message: step.error.message, hint: step.error.hint },
    })),
    warnings: record.warnings,
  };
}
