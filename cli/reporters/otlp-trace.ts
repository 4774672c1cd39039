import { digestOf, hexOf } from '../../engine/digest.ts';
import { countSteps } from '../../engine/record/record.ts';
import { packageVersion } from '../package.ts';
import type { GatheredRun, GatheredStep, Note } from './gathered-run.ts';

/** Attributes as they are thought of; `rows` and counts are integers, `metrics` doubles. */
type Attributes = Record<string, Value | null | undefined>;
type Value = string | boolean | { integer: number } | { double: number };

/** Values of the enum `Span.SpanKind` and `Status.StatusCode`, which OTLP/JSON writes as numbers. */
const internal = 1;
const unset = 0;
const failed = 2;

/**
 * A run as an OTLP `ExportTraceServiceRequest` in its JSON encoding (https://opentelemetry.io/docs/specs/otlp): a root
 * span, below it a span per step with links to the steps that it needs. Ids are made from the run's id, so that a
 * run's trace can be found: the trace id is the first 32 hex digits of its SHA-256.
 */
export function traceRequest(run: GatheredRun, resource: Record<string, string>): object {
  const traceId = idOf(run.run, 32);
  const rootId = spanId(run, '');
  const known = new Set(run.steps.map(({ id }) => id));
  const counts = countSteps(run.steps.map(({ outcome }) => outcome));
  const root = {
    traceId,
    spanId: rootId,
    name: run.workflow,
    kind: internal,
    startTimeUnixNano: nanoseconds(run.started),
    endTimeUnixNano: nanoseconds(run.finished),
    attributes: attributes({
      'reprise.run.id': run.run,
      'reprise.run.status': run.status,
      'reprise.workflow.name': run.workflow,
      ...Object.fromEntries(
        Object.entries(counts).map(([name, count]) => [`reprise.run.steps.${name}`, { integer: count }]),
      ),
    }),
    events: run.notes.map(noteEvent),
    status: run.status === 'succeeded' ? { code: unset } : { code: failed, message: run.status },
  };
  const steps = run.steps.map((step) => ({
    ...stepSpan(step),
    traceId,
    spanId: spanId(run, step.id),
    parentSpanId: rootId,
    links: step.needs
      .filter((id) => known.has(id))
      .map((id) => ({ traceId, spanId: spanId(run, id), attributes: attributes({ 'reprise.step.id': id }) })),
  }));
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes(resource) },
        scopeSpans: [{ scope: { name: 'reprise', version: packageVersion() }, spans: [root, ...steps] }],
      },
    ],
  };
}

function stepSpan({ id, started, finished, outcome, notes }: GatheredStep): object {
  const { status, error, asked } = outcome;
  const events = notes.map(noteEvent);
  for (const message of outcome.warnings)
    events.push(noteEvent({ time: finished, kind: 'warning', message }));
  if (error !== null)
    events.push({
      name: 'exception',
      timeUnixNano: nanoseconds(finished),
      attributes: attributes({ 'exception.type': error.code, 'exception.message': error.message }),
    });
  const good = status !== 'failed' && status !== 'interrupted';
  return {
    name: id,
    kind: internal,
    startTimeUnixNano: nanoseconds(started),
    endTimeUnixNano: nanoseconds(finished),
    attributes: attributes({
      'reprise.step.id': id,
      'reprise.step.use': outcome.use,
      'reprise.step.status': status,
      'reprise.step.reason': outcome.reason,
      'reprise.step.attempts': { integer: outcome.attempts },
      'reprise.step.rows': outcome.rows === null ? null : { integer: outcome.rows },
      'reprise.step.rows_computed': { integer: outcome.rows_computed },
      'reprise.step.rows_cached': { integer: outcome.rows_cached },
      'reprise.step.rows_failed': { integer: outcome.rows_failed },
      'reprise.step.hint': error?.hint,
      'error.type': error?.code,
      ...(asked && {
        'reprise.step.cost.usd': { double: asked.cost.usd },
        'reprise.step.cost.saved_usd': { double: asked.cost.saved_usd },
        'reprise.step.cost.input_tokens': { integer: asked.cost.input_tokens },
        'reprise.step.cost.output_tokens': { integer: asked.cost.output_tokens },
      }),
      // Doubles all of them: a metric that is 1 today and 0.98 tomorrow has one type.
      ...Object.fromEntries(
        Object.entries(outcome.metrics).map(([name, value]) => [
          `reprise.step.metrics.${name}`,
          typeof value === 'number' ? { double: value } : value,
        ]),
      ),
    }),
    events,
    status: good ? { code: unset } : { code: failed, message: error?.message ?? outcome.reason },
  };
}

function noteEvent({ time, kind, message }: Note) {
  return {
    name: `reprise.${kind}`,
    timeUnixNano: nanoseconds(time),
    attributes: attributes({ 'reprise.message': message }),
  };
}

function attributes(values: Attributes): object[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

/** 64-bit integers are strings in protobuf's JSON, and so are doubles that JSON has no number for. */
function anyValue(value: Value): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if ('integer' in value) return { intValue: String(value.integer) };
  return { doubleValue: Number.isFinite(value.double) ? value.double : String(value.double) };
}

function nanoseconds(ms: number): string {
  return `${Math.round(ms)}000000`;
}

function spanId({ run }: GatheredRun, step: string): string {
  return idOf(`${run}/${step}`, 16);
}

/** Ids are lower-case hex digits in OTLP/JSON, not base64. */
function idOf(name: string, digits: number): string {
  return hexOf(digestOf(name)).slice(0, digits);
}
