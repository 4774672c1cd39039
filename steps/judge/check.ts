import { promptProblems } from '../asking.ts';
import { type Check, kindsOf } from './checks.ts';
import { type Given, scaleOf } from './given.ts';

interface Problem {
  parameter: string;
  message: string;
}

/** What the schema cannot say of the parameters. */
export function checkParameters(given: Given): Problem[] {
  const { prompt, system, checks, second_look: again } = given;
  return [
    ...modeProblems(given),
    ...panelProblems(given),
    ...promptProblems({
      prompt,
      system,
      'second_look.prompt': again?.prompt,
      'second_look.system': again?.system,
    }),
    ...patternProblems('patterns', given.patterns),
    ...patternProblems('second_look.patterns', again?.patterns ?? {}),
    ...checkProblems(checks),
  ];
}

function modeProblems(given: Given): Problem[] {
  const { mode, answers, criteria, threshold, format, patterns, judges } = given;
  const problems: Problem[] = [];
  const say = (parameter: string, message: string) => problems.push({ parameter, message });
  if (judges.length === 0 && given.checks.length === 0)
    say('judges', 'there is nothing to judge by: name judges, or checks');
  if (mode === 'pairwise') {
    if (answers === undefined) say('answers', 'pairwise needs answers: the two fields that are compared');
    if (criteria.length > 0) say('criteria', 'criteria are for scores; say in the rubric what to look at');
    if (threshold !== undefined) say('threshold', 'threshold is for scores');
    if (given.score_from !== 'answer') say('score_from', 'score_from is for scores');
    if (patterns.score !== undefined) say('patterns', 'patterns.score is for scores');
    if (given.second_look !== undefined && given.orders !== 'both')
      say('second_look', 'second_look is for judges that see both orders');
  } else {
    for (const name of ['answers', 'labels', 'second_look'] as const)
      if (given[name] !== undefined) say(name, `${name} is for mode: pairwise`);
    for (const name of ['first', 'second', 'tie'] as const)
      if (patterns[name] !== undefined) say('patterns', `patterns.${name} is for mode: pairwise`);
    if (format === 'text' && criteria.length > 1)
      say('format', 'a text has one score: several criteria need format: json');
    const { low, high } = scaleOf(given);
    if (threshold !== undefined && (threshold < low || threshold > high))
      say('threshold', `threshold ${threshold} is outside the scale ${low} to ${high}`);
    if (given.score_from === 'logprobs') {
      if (given.scale !== '1-5')
        say('score_from', 'score_from: logprobs is for scores of one digit: scale: 1-5');
      if (given.samples > 1) say('score_from', 'score_from: logprobs needs one sample');
      if (given.combine === 'vote')
        say('combine', 'scores by their probabilities are hardly ever the same: mean, weighted or minimum');
    }
    if (threshold !== undefined && judges.length === 0) say('threshold', 'without judges there is no score');
  }
  const names = criteria.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) say('criteria', `there are two criteria ${twice}`);
  if (format === 'json' && Object.keys(patterns).length > 0) say('patterns', 'patterns are for format: text');
  return problems;
}

function panelProblems(given: Given): Problem[] {
  const { judges, combine, weights, quorum, mode } = given;
  const problems: Problem[] = [];
  const unknown = Object.keys(weights ?? {}).find((alias) => !judges.includes(alias));
  if (unknown !== undefined)
    problems.push({ parameter: 'weights', message: `${unknown} is none of the judges` });
  if (weights !== undefined && combine !== 'weighted')
    problems.push({ parameter: 'weights', message: 'weights are for combine: weighted' });
  if (mode === 'pairwise' && (combine === 'minimum' || combine === 'mean'))
    problems.push({
      parameter: 'combine',
      message: `verdicts of pairs have no ${combine}: vote or weighted`,
    });
  const repeats = given.samples > 1 || (mode === 'pairwise' && given.orders === 'both');
  if (given.min_consistency !== undefined && !repeats)
    problems.push({
      parameter: 'min_consistency',
      message: 'min_consistency needs questions that are asked more than once: both orders, or samples',
    });
  if (quorum !== undefined && quorum > judges.length)
    problems.push({ parameter: 'quorum', message: `there are ${judges.length} judges, not ${quorum}` });
  return problems;
}

function patternProblems(parameter: string, patterns: Given['patterns']): Problem[] {
  return Object.entries(patterns).flatMap(([name, pattern]) => {
    const wrong = regexProblem(pattern);
    if (wrong !== null) return [{ parameter, message: `${parameter}.${name}: ${wrong}` }];
    // With an empty alternative it matches, and tells how many groups it has.
    return name === 'score' && new RegExp(`${pattern}|`, 'u').exec('')!.length < 2
      ? [{ parameter, message: `${parameter}.score needs a group, whose text is the score` }]
      : [];
  });
}

function checkProblems(checks: readonly Check[]): Problem[] {
  return checks.flatMap((check, index) => {
    const kinds = kindsOf(check);
    const messages: string[] = [];
    if (kinds.length === 0) messages.push('it says nothing to check: regex, json, words …');
    if (kinds.length > 1) messages.push(`it says ${kinds.join(' and ')}: make a check of each`);
    if (kinds[0] === 'where' && (check.field ?? check.at) !== undefined)
      messages.push('where reads the whole row: it has no field');
    for (const pattern of [check.regex, check.not_regex]) {
      const wrong = pattern === undefined ? null : regexProblem(pattern);
      if (wrong !== null) messages.push(wrong);
    }
    return messages.map((message) => ({
      parameter: `checks.${index}`,
      message: `checks.${index}: ${message}`,
    }));
  });
}

function regexProblem(pattern: string): string | null {
  try {
    new RegExp(pattern, 'u');
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
