import { stripVTControlCharacters } from 'node:util';
import { escapeHtml } from '../../steps/report/markup.ts';
import { counted } from '../format.ts';
import type { ReporterKind } from './chosen.ts';
import type { GatheredRun, GatheredStep } from './gathered-run.ts';
import { writeReport } from './write-report.ts';

/** `--reporter junit=report.xml`: a test case per step, for what CI systems show of tests. */
export const junit: ReporterKind = {
  example: 'junit=report.xml',
  open: (target, cli) => async (run) => writeReport(cli.cwd, target, junitXml(run)),
};

/**
 * A run as JUnit XML, in the dialect that pytest writes: valid against Jenkins' schema (junit-10.xsd of its xUnit
 * plugin). That allows properties of a suite only, so those say which test cases came from the cache.
 */
export function junitXml({ run, workflow, status, started, finished, steps, notes }: GatheredRun): string {
  const ended = (name: string) => steps.filter(({ outcome }) => outcome.status === name);
  const totals = {
    tests: steps.length,
    failures: ended('failed').length,
    errors: ended('interrupted').length,
    time: seconds(finished - started),
  };
  const property = (name: string, value: string) => element('property', { name, value });
  const properties = [
    property('reprise.run.id', run),
    property('reprise.run.status', status),
    ...ended('cached').map(({ id }) => property('reprise.step.cached', id)),
  ];
  const suite = element(
    'testsuite',
    {
      name: workflow,
      ...totals,
      skipped: ended('skipped').length,
      // UTC, without a zone: what the format knows.
      timestamp: new Date(started).toISOString().slice(0, 19),
    },
    [
      element('properties', {}, properties),
      ...steps.map((step) => testCase(step, workflow)),
      ...texts(
        'system-err',
        notes.map(({ message }) => message),
      ),
    ],
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'reprise', ...totals }, [suite])}`;
}

function testCase({ id, outcome }: GatheredStep, workflow: string): string {
  const { status, reason, error, rows, rows_failed: failed, warnings } = outcome;
  const children: string[] = [];
  if (status === 'failed') {
    const message = error?.message ?? reason;
    const hint = error?.hint ? `\n→ ${error.hint}` : '';
    children.push(element('failure', { type: error?.code ?? 'failed', message }, message + hint));
  } else if (status === 'interrupted') {
    children.push(element('error', { type: 'interrupted', message: reason }));
  } else if (status === 'skipped') {
    children.push(element('skipped', { message: reason }));
  } else {
    const facts = [reason, ...(rows === null ? [] : [counted(rows, 'row')])];
    if (failed > 0) facts.push(`${counted(failed, 'row')} failed`);
    children.push(...texts('system-out', [`${status}: ${facts.join(' · ')}`]));
  }
  children.push(...texts('system-err', warnings));
  const attributes = { classname: workflow, name: id, time: seconds(outcome.duration_ms) };
  return element('testcase', attributes, children);
}

function texts(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [element(name, {}, lines.join('\n'))];
}

/** An element that holds text, or elements on lines of their own. */
function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content: string | readonly string[] = [],
): string {
  const written = Object.entries(attributes).map(
    // A line break in an attribute would be read as a space.
    ([key, value]) => ` ${key}="${text(String(value)).replaceAll('\n', '&#10;')}"`,
  );
  const start = `<${name}${written.join('')}`;
  if (content.length === 0) return `${start}/>\n`;
  const inner = typeof content === 'string' ? text(content) : `\n${content.join('')}`;
  return `${start}>${inner}</${name}>\n`;
}

function text(value: string): string {
  return escapeHtml(stripVTControlCharacters(value));
}

/** Milliseconds as seconds with three digits: the schema takes no more. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
