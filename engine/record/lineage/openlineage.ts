import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Artefact } from '../../artefacts.ts';
import type { StepFinished } from '../../events.ts';
import type { InputRecord, RunRecord, StepRecord } from '../record.ts';

/** A run event of OpenLineage 2-0-2, https://openlineage.io/spec/2-0-2/OpenLineage.json */
export interface OpenLineageEvent {
  eventType: 'COMPLETE' | 'FAIL' | 'ABORT';
  /** ISO 8601, UTC. */
  eventTime: string;
  producer: string;
  schemaURL: string;
  run: { runId: string; facets: Facets };
  job: { namespace: string; name: string; facets: Facets };
  inputs: Dataset[];
  outputs: Dataset[];
}

type Facets = Record<string, { _producer: string; _schemaURL: string; [member: string]: unknown }>;

interface Dataset {
  namespace: string;
  name: string;
  facets: Facets;
  outputFacets?: Facets;
}

const spec = 'https://openlineage.io/spec';

/**
 * A run as OpenLineage has it: an event for each step that ran, came from the cache, failed or was interrupted, and
 * one for the run as a whole, which is their parent. A job is a step, `<workflow>.<step>`; a dataset is an output,
 * `<workflow>.<step>.<output>`, or a file, with its digest as the version. Ids of runs are made from the run's own id,
 * so that the same run gives the same events.
 *
 * @param options.namespace namespace of jobs and of outputs
 * @param options.finished when steps ended, as the run's events say it; the end of the run for others
 * @param options.recordOf the record of another run; undefined if it is not there
 * @param options.only ids of the steps that are wanted; all if it is not given
 */
export function openLineageEvents(
  record: RunRecord,
  options: {
    namespace: string;
    finished: ReadonlyMap<string, number>;
    recordOf(run: string): RunRecord | undefined;
    only?: ReadonlySet<string>;
  },
): OpenLineageEvent[] {
  const { namespace, only } = options;
  const producer = `urn:reprise:${record.environment.engine}`;
  const facet = (name: string, version: string, members: object) => ({
    _producer: producer,
    _schemaURL: `${spec}/facets/${version}/${name}.json#/$defs/${name}`,
    ...members,
  });
  const ended = record.finished ?? record.started;
  const workflow = { namespace, name: record.workflow.name };
  const parent = facet('ParentRunFacet', '1-0-1', { run: { runId: uuidOf(record.id) }, job: workflow });
  const engine = facet('ProcessingEngineRunFacet', '1-1-1', {
    name: 'reprise',
    version: record.environment.engine,
  });
  const jobType = (type: string) =>
    facet('JobTypeJobFacet', '2-0-3', { processingType: 'BATCH', integration: 'REPRISE', jobType: type });

  const file = (path: string, digest: string): Dataset => ({
    namespace: 'file',
    name: resolve(record.root, path),
    facets: { version: facet('DatasetVersionDatasetFacet', '1-0-1', { datasetVersion: digest }) },
  });
  const dataset = (run: RunRecord, step: string, output: string, artefact: Artefact): Dataset => ({
    namespace,
    name: `${run.workflow.name}.${step}.${output}`,
    facets: {
      version: facet('DatasetVersionDatasetFacet', '1-0-1', { datasetVersion: artefact.digest }),
      ...(artefact.kind === 'table' && {
        schema: facet('SchemaDatasetFacet', '1-1-1', { fields: artefact.fields.map((name) => ({ name })) }),
      }),
    },
  });
  const inputOf = (part: InputRecord): Dataset[] => {
    const from = part.run === null ? record : options.recordOf(part.run);
    const artefact = from?.steps.find(({ id }) => id === part.step)?.outputs[part.output];
    return from && artefact ? [dataset(from, part.step, part.output, artefact)] : [];
  };
  const outputOf = (step: StepRecord, name: string, artefact: Artefact): Dataset => ({
    ...dataset(record, step.id, name, artefact),
    outputFacets:
      artefact.kind === 'files'
        ? {}
        : {
            outputStatistics: facet('OutputStatisticsOutputDatasetFacet', '1-0-2', {
              rowCount: artefact.rows,
              size: artefact.bytes,
            }),
          },
  });
  const failure = (message: string) =>
    facet('ErrorMessageRunFacet', '1-0-1', { message, programmingLanguage: 'TypeScript' });
  const event = (
    type: OpenLineageEvent['eventType'],
    time: string,
    more: Pick<OpenLineageEvent, 'run' | 'job' | 'inputs' | 'outputs'>,
  ): OpenLineageEvent => ({
    eventType: type,
    eventTime: time,
    producer,
    schemaURL: `${spec}/2-0-2/OpenLineage.json#/$defs/RunEvent`,
    ...more,
  });

  const steps = record.steps.filter(({ id, status }) => status !== 'skipped' && (only?.has(id) ?? true));
  const events = steps.map((step) => {
    const time = options.finished.get(step.id);
    return event(typeOf(step.status), time === undefined ? ended : new Date(time).toISOString(), {
      run: {
        runId: uuidOf(`${record.id}/${step.id}`),
        facets: {
          parent,
          processing_engine: engine,
          ...(step.error && { errorMessage: failure(step.error.message) }),
        },
      },
      job: { namespace, name: `${record.workflow.name}.${step.id}`, facets: { jobType: jobType('STEP') } },
      inputs: distinct([
        ...Object.values(step.inputs).flat().flatMap(inputOf),
        ...Object.entries(step.fingerprint?.files ?? {}).map(([path, digest]) => file(path, digest)),
      ]),
      outputs: Object.entries(step.outputs).map(([name, artefact]) => outputOf(step, name, artefact)),
    });
  });
  if (only || record.status === 'running') return events;
  const whole = event(typeOf(record.status), ended, {
    run: { runId: uuidOf(record.id), facets: { processing_engine: engine } },
    job: { ...workflow, facets: { jobType: jobType('WORKFLOW') } },
    inputs: distinct(record.files.map(({ path, digest }) => file(path, digest))),
    outputs: [],
  });
  return [...events, whole];
}

function typeOf(status: StepRecord['status'] | RunRecord['status']): OpenLineageEvent['eventType'] {
  return status === 'failed' ? 'FAIL' : status === 'interrupted' ? 'ABORT' : 'COMPLETE';
}

/** A dataset that a step reads under two names is one input. */
function distinct(datasets: Dataset[]): Dataset[] {
  return [...new Map(datasets.map((dataset) => [`${dataset.namespace}\n${dataset.name}`, dataset])).values()];
}

/** When each step ended, from a run's events. */
export function finishTimes(events: readonly { type: string }[]): Map<string, number> {
  return new Map(
    events
      .filter((event): event is StepFinished => event.type === 'step-finished')
      .map(({ step, time }) => [step, time]),
  );
}

/** RFC 9562's namespace for URLs: the ids are name-based UUIDs of `urn:reprise:run:<id>`. */
const urlNamespace = '6ba7b8119dad11d180b400c04fd430c8';

/** A name-based UUID, version 5 (RFC 9562, 5.5). */
function uuidOf(run: string): string {
  const bytes = Buffer.concat([Buffer.from(urlNamespace, 'hex'), Buffer.from(`urn:reprise:run:${run}`)]);
  const name = Buffer.from(hash('sha1', bytes, 'hex').slice(0, 32), 'hex');
  name[6] = (name[6]! & 0x0f) | 0x50;
  name[8] = (name[8]! & 0x3f) | 0x80;
  return name.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
