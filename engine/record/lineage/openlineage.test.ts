import { expect, it } from 'vitest';
import { exampleRecord } from '../../../test/run-record.ts';
import { openLineageEvents } from './openlineage.ts';

/** What the schema of OpenLineage 2-0-2 asks of an event. */
const uri = expect.stringMatching(/^(urn|https):/);
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

it('gives an event for each step and one for the run, as OpenLineage 2-0-2 has them', () => {
  const record = exampleRecord({ root: '/project' });
  const finished = new Map([['topics', Date.UTC(2026, 10, 21, 9, 15, 2)]]);
  const options = { namespace: 'here', finished, recordOf: () => undefined };
  const events = openLineageEvents(record, options);
  expect(openLineageEvents(record, options)).toEqual(events);
  // The step that was skipped made no event.
  expect(events.map(({ job, eventType }) => [job.name, eventType])).toEqual([
    ['support_topics.topics', 'COMPLETE'],
    ['support_topics.answers[model=a]', 'FAIL'],
    ['support_topics.vectors', 'COMPLETE'],
    ['support_topics', 'COMPLETE'],
  ]);
  const ids = new Set<string>();
  for (const { run, job, inputs, outputs, ...event } of events) {
    expect(event).toEqual({
      eventType: expect.any(String),
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      producer: uri,
      schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
    });
    expect(run.runId).toMatch(uuid);
    ids.add(run.runId);
    expect(job.namespace).toBe('here');
    for (const facets of [
      run.facets,
      job.facets,
      ...[...inputs, ...outputs].flatMap((set) => [set.facets, set.outputFacets ?? {}]),
    ])
      for (const facet of Object.values(facets))
        expect(facet).toMatchObject({
          _producer: uri,
          _schemaURL: expect.stringMatching(
            /^https:\/\/openlineage\.io\/spec\/facets\/\d-\d-\d\/(\w+)\.json#\/\$defs\/\1$/,
          ),
        });
  }
  expect(ids.size).toBe(4);
  const [topics, answers] = events;
  expect(topics).toMatchObject({
    eventTime: '2026-11-21T09:15:02.000Z',
    run: { facets: { parent: { run: { runId: events[3]!.run.runId }, job: { name: 'support_topics' } } } },
    inputs: [{ namespace: 'file', name: '/project/data/queries.jsonl' }],
    outputs: [
      {
        namespace: 'here',
        name: 'support_topics.topics.rows',
        facets: {
          schema: { fields: [{ name: 'id' }, { name: 'text' }] },
          version: { datasetVersion: expect.stringMatching(/^sha256:/) },
        },
        outputFacets: { outputStatistics: { rowCount: 10, size: 123 } },
      },
    ],
  });
  expect(answers!.run.facets['errorMessage']).toMatchObject({ message: 'rows have no field "text"' });
  expect(openLineageEvents(record, { ...options, only: new Set(['vectors']) })).toHaveLength(1);
});
