import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readJunit, type XmlElement } from '../junit-file.ts';
import { listeningServer } from '../listening-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const workflow = `name: reported
params: { least: { type: integer, default: 10 } }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  unique: { use: dedupe, from: rows }
  optional: { use: dedupe, from: rows, when: "params.least < 5", with: { fields: [id] } }
  gate: { use: assert, from: unique, with: { that: "metrics.kept >= params.least", message: "too few <rows> & \\"all\\"" } }
  behind: { use: dedupe, from: rows, after: gate, with: { fields: [id] } }
`;
const files = { 'w.yaml': workflow, 'data.jsonl': jsonl(numberedTexts(10)) };

/** The test cases of a report, by name, each with what stands in it. */
function casesOf(xml: string) {
  const suite = readJunit(xml).children[0]!;
  const cases = suite.children.filter(({ name }) => name === 'testcase');
  return {
    suite: suite.attributes,
    properties: suite.children
      .filter(({ name }) => name === 'properties')
      .flatMap(({ children }) =>
        children.map(({ attributes }) => `${attributes['name']}=${attributes['value']}`),
      ),
    names: cases.map(({ attributes }) => attributes['name']),
    of: (name: string): XmlElement => cases.find(({ attributes }) => attributes['name'] === name)!,
    kinds: Object.fromEntries(
      cases.map(({ attributes, children }) => [attributes['name'], children.map(({ name }) => name)]),
    ),
  };
}

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  links?: { traceId: string; spanId: string }[];
  events: { name: string }[];
  status: { code: number; message?: string };
}
interface TraceRequest {
  resourceSpans: {
    resource: { attributes: Span['attributes'] };
    scopeSpans: { scope: { name: string }; spans: Span[] }[];
  }[];
}

const valuesOf = (attributes: Span['attributes']) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value]));

/** The spans of a request, by name. */
function spansOf(request: TraceRequest) {
  const { spans } = request.resourceSpans[0]!.scopeSpans[0]!;
  const of = (name: string) => spans.find((span) => span.name === name)!;
  return { spans, of, attributes: (name: string) => valuesOf(of(name).attributes) };
}

describe('junit', () => {
  it('has a test case for each step: passed, cached, skipped, failed', async () => {
    using p = new TestProject(files);
    const good = await p.run('w.yaml', '--reporter', 'junit=out/ci/report.xml');
    expect(good).toMatchObject({ code: 0, status: 'succeeded' });
    const first = casesOf(p.read('out/ci/report.xml'));
    expect(readdirSync(p.path('out/ci'))).toEqual(['report.xml']);
    expect(first.suite).toMatchObject({
      name: 'reported',
      tests: '5',
      failures: '0',
      errors: '0',
      skipped: '1',
    });
    expect(first.names).toEqual(['rows', 'unique', 'optional', 'gate', 'behind']);
    expect(first.kinds).toEqual({
      rows: ['system-out'],
      unique: ['system-out'],
      optional: ['skipped'],
      gate: ['system-out'],
      behind: ['system-out'],
    });
    expect(first.of('rows').attributes).toMatchObject({
      classname: 'reported',
      time: expect.stringMatching(/^\d/),
    });
    expect(first.of('rows').children[0]!.text).toMatch(/^ran: .+ · 10 rows$/);
    expect(first.of('optional').children[0]!.attributes['message']).toMatch(/^when is false: /);
    expect(first.properties).toEqual([`reprise.run.id=${good.run}`, 'reprise.run.status=succeeded']);

    const bad = await p.run('w.yaml', '--param', 'least=11', '--reporter=junit=out/ci/report.xml');
    expect(bad).toMatchObject({ code: 1, status: 'failed' });
    const second = casesOf(p.read('out/ci/report.xml'));
    expect(second.suite).toMatchObject({ tests: '5', failures: '1', errors: '0', skipped: '2' });
    expect(second.properties).toEqual([
      `reprise.run.id=${bad.run}`,
      'reprise.run.status=failed',
      'reprise.step.cached=rows',
      'reprise.step.cached=unique',
    ]);
    expect(second.of('rows').children[0]!.text).toBe('cached: unchanged · 10 rows');
    const { error } = bad.step('gate');
    const failure = second.of('gate').children[0]!;
    expect(error?.message).toContain('too few <rows> & "all"');
    expect(failure).toMatchObject({
      name: 'failure',
      attributes: { type: 'assert-failed', message: error!.message },
      text: error!.hint ? `${error!.message}\n→ ${error!.hint}` : error!.message,
    });
    expect(second.of('behind').children[0]!.attributes).toEqual({ message: 'needs gate, which failed' });
  });

  it('shows what a program printed, whatever characters that has, and keeps secrets', async () => {
    using p = new TestProject({
      '.env': 'KEY=very-secret-key\n',
      'w.yaml': `name: noisy
steps:
  loud:
    use: exec
    env: { KEY: "\${{ secrets.KEY }}" }
    with: { run: [node, loud.cjs], deps: [loud.cjs] }
`,
      'loud.cjs':
        'process.stderr.write("\\u001b[31mred\\u001b[0m \\u0000\\u0008 ]]> <a b=\\"c\\">&amp; \\ufffe " + process.env.KEY + "\\n");process.exit(3)',
    });
    const { code } = await p.run('w.yaml', '--reporter', 'junit=report.xml');
    expect(code).toBe(1);
    const xml = p.read('report.xml');
    expect(xml).not.toContain('very-secret');
    expect(casesOf(xml).of('loud').children[0]!.text).toContain('red ␀␈ ]]> <a b="c">&amp; � [secret]');
  });

  it('is written when the run was interrupted, and shows the instances of for_each and of a matrix', async () => {
    using p = new TestProject({
      ...files,
      'w.yaml': `name: cut
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  two: { use: sample, from: rows, with: { size: 2 } }
  each: { use: filter, from: rows, for_each: two, with: { where: "row.id == item.id" } }
  wait:
    use: exec
    after: each
    matrix: { i: [1] }
    with: { run: [node, -e, "console.log('it waits'); setInterval(() => {}, 1000)"], outputs: { rows: o.jsonl } }
  behind: { use: dedupe, from: wait }
`,
    });
    const { child, ended, result } = p.start(['run', 'w.yaml', '--reporter', 'junit=report.xml']);
    const waits = Promise.withResolvers<void>();
    child.stderr.on('data', () => {
      if (/→ wait/.test(result.err)) waits.resolve();
    });
    await Promise.race([waits.promise, ended]);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    const { names, kinds, suite, of } = casesOf(p.read('report.xml'));
    expect(names).toHaveLength(6);
    expect(names.filter((name) => name?.startsWith('each['))).toHaveLength(2);
    expect(suite).toMatchObject({ tests: '6', errors: '1', failures: '0', skipped: '1' });
    expect(kinds).toMatchObject({ rows: ['system-out'], 'wait[i=1]': ['error'], behind: ['skipped'] });
    expect(of('wait[i=1]').children[0]!.attributes).toEqual({ type: 'interrupted', message: 'interrupted' });
  });
});

describe('otlp', () => {
  it('sends a trace to a collector: a span for the run and one for each step', async () => {
    using collector = await listeningServer({ status: 200, text: '{}' });
    using p = new TestProject(files);
    const start = (...more: string[]) =>
      p.start(
        ['run', 'w.yaml', '--json', '--reporter', `otlp=http://127.0.0.1:${collector.port}/`, ...more],
        {
          OTEL_EXPORTER_OTLP_HEADERS: 'api-key=abc, x-team=search%20quality',
          OTEL_SERVICE_NAME: 'nightly',
          OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=ci',
        },
      ).ended;
    const good = await start('--reporter', 'otlp=trace.json', '--reporter', 'junit=report.xml');
    expect(good).toMatchObject({ code: 0 });
    const { run } = JSON.parse(good.out) as { run: string };
    const [call] = collector.calls;
    expect(call).toMatchObject({
      url: '/v1/traces',
      headers: { 'content-type': 'application/json', 'api-key': 'abc', 'x-team': 'search quality' },
    });
    // The file holds what the collector gets.
    expect(JSON.parse(p.read('trace.json'))).toEqual(call!.body);
    expect(casesOf(p.read('report.xml')).names).toHaveLength(5);
    const request = call!.body as unknown as TraceRequest;
    expect(valuesOf(request.resourceSpans[0]!.resource.attributes)).toMatchObject({
      'service.name': { stringValue: 'nightly' },
      'deployment.environment.name': { stringValue: 'ci' },
    });
    const { spans, of, attributes } = spansOf(request);
    const root = of('reported');
    expect(root).toMatchObject({
      traceId: hash('sha256', run, 'hex').slice(0, 32),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      status: { code: 0 },
    });
    expect(root.parentSpanId).toBeUndefined();
    expect(attributes('reported')).toMatchObject({
      'reprise.run.id': { stringValue: run },
      'reprise.run.steps.ran': { intValue: '4' },
    });
    expect(spans.map(({ name }) => name)).toEqual([
      'reported',
      'rows',
      'unique',
      'optional',
      'gate',
      'behind',
    ]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(6);
    for (const span of spans) {
      expect(span.traceId).toBe(root.traceId);
      if (span !== root) expect(span.parentSpanId).toBe(root.spanId);
      expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
      expect(BigInt(span.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(root.startTimeUnixNano));
      expect(BigInt(span.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(root.endTimeUnixNano));
    }
    expect(of('unique').links).toMatchObject([{ traceId: root.traceId, spanId: of('rows').spanId }]);
    expect(attributes('rows')).toMatchObject({
      'reprise.step.status': { stringValue: 'ran' },
      'reprise.step.rows': { intValue: '10' },
      'reprise.step.rows_cached': { intValue: '0' },
      'reprise.step.metrics.rejected': { doubleValue: 0 },
    });

    const bad = await start('--param', 'least=11');
    expect(bad.code).toBe(1);
    const second = spansOf(collector.calls[1]!.body as unknown as TraceRequest);
    expect(second.of('reported').status).toEqual({ code: 2, message: 'failed' });
    expect(second.of('reported').traceId).not.toBe(root.traceId);
    expect(second.attributes('rows')).toMatchObject({
      'reprise.step.status': { stringValue: 'cached' },
      'reprise.step.reason': { stringValue: 'unchanged' },
    });
    expect(second.attributes('gate')).toMatchObject({ 'error.type': { stringValue: 'assert-failed' } });
    expect(second.of('gate')).toMatchObject({ status: { code: 2 }, events: [{ name: 'exception' }] });
    expect(second.attributes('behind')).toMatchObject({ 'reprise.step.status': { stringValue: 'skipped' } });
  });

  it('is a warning when the collector is away, answers with an error, rejects, or does not answer', async () => {
    using broken = await listeningServer({ status: 503 });
    using picky = await listeningServer({
      status: 200,
      text: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}',
    });
    using silent = await listeningServer('never');
    using p = new TestProject(files);
    const at = (port: number, path = '') => ['--reporter', `otlp=http://127.0.0.1:${port}${path}`];
    const key = '/base/v1/traces?key=abcdef';
    const [{ code, err }, waited] = await Promise.all([
      p.reprise('run', 'w.yaml', ...at(1), ...at(broken.port, key), ...at(picky.port)),
      p.start(['run', 'w.yaml', ...at(silent.port)], { OTEL_EXPORTER_OTLP_TIMEOUT: '300' }).ended,
    ]);
    expect([code, waited.code]).toEqual([0, 0]);
    const warned = (port: number, path: string) =>
      `warning reporter otlp: http://127.0.0.1:${port}${path}: it`;
    expect(err).toContain(`${warned(1, '/v1/traces')} cannot be reached: `);
    expect(err).toContain(`${warned(broken.port, '/base/v1/traces')} answered 503`);
    expect(err).toContain(`${warned(picky.port, '/v1/traces')} rejected 2 spans: too old`);
    expect(waited.err).toContain(`${warned(silent.port, '/v1/traces')} took longer than 0.3 s`);
    expect(broken.calls[0]!.url).toBe(key);
    expect(err).not.toContain('abcdef');
  });
});

it('warns where a report cannot be written, and changes nothing else', async () => {
  using p = new TestProject({ ...files, taken: 'a file' });
  mkdirSync(p.path('folder'));
  const choice = ['--reporter', 'junit=taken/report.xml', '--reporter', 'otlp=folder'];
  const good = await p.run('w.yaml', ...choice);
  expect(good).toMatchObject({ code: 0, status: 'succeeded' });
  expect(good.err).toMatch(/^warning reporter junit: .*taken/m);
  expect(good.err).toMatch(/^warning reporter otlp: EISDIR.*folder/m);
  expect(p.read('taken')).toBe('a file');
  const bad = await p.run('w.yaml', '--param', 'least=11', ...choice);
  expect(bad).toMatchObject({ code: 1, status: 'failed' });
});

it('refuses a reporter that there is not, or whose target is wrong, before anything runs', async () => {
  using p = new TestProject(files);
  const cases: [string, string, string][] = [
    ['junt=report.xml', 'there is no reporter "junt"', 'did you mean "junit"?'],
    ['=x', 'there is no reporter ""', 'there are: junit, otlp'],
    ['toString=x', 'there is no reporter "toString"', 'there are: junit, otlp'],
    ['junit', '--reporter junit does not say where to', '--reporter junit=report.xml'],
    ['otlp=', '--reporter otlp does not say where to', '--reporter otlp=http://localhost:4318'],
    ['otlp=collector:4318', 'cannot send to "collector:4318"', '--reporter otlp=http://collector:4318'],
    ['otlp=grpc://collector:4317', 'cannot send to "grpc://collector:4317"', 'traces go over HTTP'],
    ['otlp=http://', 'cannot send to "http://"', '--reporter otlp=http://localhost:4318'],
    ['otlp=http://me:pass@localhost', 'cannot hold a password', 'OTEL_EXPORTER_OTLP_HEADERS'],
  ];
  await Promise.all(
    cases.map(async ([reporter, message, hint]) => {
      const { code, out, err } = await p.reprise('run', 'w.yaml', '--reporter', reporter);
      expect({ reporter, code, out }).toEqual({ reporter, code: 2, out: '' });
      expect(err).toContain(message);
      expect(err).toContain(hint);
    }),
  );
  expect(existsSync(p.path('runs'))).toBe(false);
});
