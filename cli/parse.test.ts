import { describe, expect, it } from 'vitest';
import { ProblemError } from '../engine/problems.ts';
import type { Command } from './command.ts';
import { parseCall } from './parse.ts';

const leaf = (name: string, more: Partial<Command> = {}): Command => ({
  name,
  summary: name,
  examples: [],
  run: async () => 0,
  ...more,
});

const run = leaf('run', {
  arguments: [{ name: '<file>', description: 'the workflow' }],
  options: [
    { flags: '--param <name=value>', description: '', repeat: true },
    { flags: '--keep-going', description: '' },
    { flags: '--jobs <n>', description: '', atLeast: 1 },
    { flags: '-o, --output <file>', description: '' },
    { flags: '--format <format>', description: '', choices: ['csv', 'jsonl'], default: 'csv' },
  ],
});
const runs = leaf('runs', {
  commands: [leaf('list', { options: [{ flags: '--json', description: '' }] }), { ...run, name: 'show' }],
  default: 'list',
});

function problemOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) {
      const { code, message, hint } = error.problems[0]!;
      return `${code}: ${message} → ${hint}`;
    }
    throw error;
  }
  throw new Error('there was no problem');
}

describe('parseCall', () => {
  it('reads arguments and options, dashes or underscores, before and after', () => {
    const { args, options } = parseCall(run, ['--param', 'a_b=c_d', 'w.yaml', '--keep_going', '--jobs=3']);
    expect(args).toEqual(['w.yaml']);
    expect(options).toMatchObject({ param: ['a_b=c_d'], keepGoing: true, jobs: 3, format: 'csv' });
    expect(parseCall(run, ['-o', 'x', '--param=a=1', '--param=b=2', 'w']).options).toMatchObject({
      output: 'x',
      param: ['a=1', 'b=2'],
    });
    expect(parseCall(run, ['w']).options).toMatchObject({ param: [], keepGoing: undefined });
  });

  it('takes everything behind -- as it is', () => {
    expect(parseCall(run, ['--', '--odd_name']).args).toEqual(['--odd_name']);
  });

  it('finds the command of a group, or its default', () => {
    expect(parseCall(runs, []).path.map(({ name }) => name)).toEqual(['runs', 'list']);
    expect(parseCall(runs, ['--json'])).toMatchObject({ options: { json: true } });
    expect(parseCall(runs, ['list', '--json']).path.map(({ name }) => name)).toEqual(['runs', 'list']);
    expect(parseCall(runs, ['--help'])).toMatchObject({ help: true, path: [runs] });
    expect(parseCall(runs, ['list', '-h']).path).toHaveLength(2);
  });

  it.each([
    [[], 'wrong-call: run needs <file>: the workflow → write: reprise run <file>'],
    [['a', 'b'], 'wrong-call: run does not take "b" → reprise run --help says what it takes'],
    [['a', '--keep-goin'], 'wrong-call: run has no option --keep-goin → did you mean --keep-going?'],
    [
      ['a', '--zzz'],
      'wrong-call: run has no option --zzz → it has: --param, --keep-going, --jobs, --output, --format, --help',
    ],
    [['a', '--jobs', '0'], 'wrong-call: --jobs cannot be "0" → it needs an integer of at least 1'],
    [['a', '--jobs', '1.5'], 'wrong-call: --jobs cannot be "1.5" → it needs an integer of at least 1'],
    [['a', '--jobs', ''], 'wrong-call: --jobs cannot be "" → it needs an integer of at least 1'],
    [['a', '--jobs'], 'wrong-call: --jobs needs a value → write --jobs <n>'],
    [['a', '--param', '--jobs'], 'wrong-call: --param needs a value → write --param <name=value>'],
    [['a', '--keep-going=yes'], 'wrong-call: --keep-going takes no value → write --keep-going'],
    [['a', '--format', 'cvs'], 'wrong-call: --format cannot be "cvs" → did you mean "csv"?'],
  ])('refuses %j', (words, message) => {
    expect(problemOf(() => parseCall(run, words))).toBe(message);
  });

  it('names the commands of a group', () => {
    expect(problemOf(() => parseCall(runs, ['lst']))).toBe(
      'unknown-command: there is no command "runs lst" → did you mean: reprise runs list',
    );
    expect(problemOf(() => parseCall(runs, ['latest']))).toContain('runs has: list, show');
  });
});
