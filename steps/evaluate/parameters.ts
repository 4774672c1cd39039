import type { ValueSchema } from '../../engine/schema-type.ts';

export const tasks = [
  'clustering',
  'classification',
  'agreement',
  'ratings',
  'pass_rate',
  'calibration',
  'cost',
  'routing',
] as const;
export type Task = (typeof tasks)[number];

const field = (description: string) => ({ type: 'string', minLength: 1, description }) as const;
const fields = (description: string, more: { minItems?: number; maxItems?: number } = {}) =>
  ({
    type: 'array',
    minItems: 1,
    ...more,
    uniqueItems: true,
    items: { type: 'string', minLength: 1 },
    description,
  }) as const;

export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    task: { enum: tasks, default: 'clustering', description: 'What is scored.' },
    truth: field(
      'The field with the known class of a row; agreement: with what is right; calibration: with the score that a person gave.',
    ),
    prediction: field(
      'The field with the cluster or class that a row was given; `cluster` or `predicted` if not given. calibration: with the score of the judge, `score` if not given. routing: with a number that is the greater the more the strong model is needed, `probability` if not given.',
    ),
    metric: {
      enum: ['cosine', 'euclidean'],
      default: 'cosine',
      description: 'clustering: the distance that the silhouette is made of.',
    },
    sample_size: {
      type: 'integer',
      minimum: 1,
      default: 10_000,
      description:
        'clustering: rows, at most, over which the silhouette is averaged; each is compared with all rows.',
    },
    out_of_scope_label: field('classification: the value of `truth` of rows that are of no class.'),
    score: {
      ...field('classification: the field with a number that is greater for rows of no class.'),
      default: 'out_of_scope_score',
    },
    raters: fields('agreement: the fields with what judges said.'),
    annotators: fields(
      'agreement: the fields with what people said; what most of them said is taken for right. Instead of `truth`.',
    ),
    level: {
      enum: ['nominal', 'ordinal', 'interval', 'ratio'],
      default: 'nominal',
      description: 'agreement: what alpha takes for far apart; all but nominal are for numbers.',
    },
    players: fields('ratings: the two fields that name whose answers were compared.', {
      minItems: 2,
      maxItems: 2,
    }),
    winner: { ...field('ratings: the field with the winner.'), default: 'winner' },
    labels: {
      type: 'array',
      minItems: 3,
      maxItems: 3,
      uniqueItems: true,
      items: { type: ['string', 'number'] },
      description:
        'ratings: what `winner` says if the first, the second, or neither wins; without it the name of the player, or `tie`.',
    },
    lengths: fields(
      'ratings: the two fields with the answers; then strengths are also estimated as if answers were equally long.',
      { minItems: 2, maxItems: 2 },
    ),
    k: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 4,
      description: 'ratings: the most points that a game moves an Elo rating.',
    },
    passed: { ...field('pass_rate: the field that is true where a row passes.'), default: 'passed' },
    by: {
      anyOf: [
        { type: 'string', minLength: 1 },
        {
          type: 'array',
          minItems: 1,
          maxItems: 5,
          uniqueItems: true,
          items: { type: 'string', minLength: 1 },
        },
      ],
      description:
        'pass_rate: a field, or several, for whose values the share is given, too. Each group is compared with the rows that differ in the first field only.',
    },
    weak: field(
      'routing: the field that says how good the answer of the weak, cheap model is: true or false, or a number.',
    ),
    strong: field('routing: the same of the strong model.'),
    text: {
      ...field('routing: the field with the question, for the comparison with routing by its length.'),
      default: 'text',
    },
    group: field('routing: a field; rows with the same value of it are drawn together for the intervals.'),
    resamples: {
      type: 'integer',
      minimum: 0,
      maximum: 100_000,
      default: 1000,
      description: 'classification, ratings, routing: resamples of the bootstrap; 0 for no intervals.',
    },
    confidence_level: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.95,
      description: 'How sure intervals are.',
    },
  },
} as const;

/** The tasks that a parameter is for; those of all are not among them. */
const tasksOf: { readonly [parameter: string]: readonly Task[] } = {
  truth: ['clustering', 'classification', 'agreement', 'calibration'],
  prediction: ['clustering', 'classification', 'calibration', 'routing'],
  metric: ['clustering'],
  sample_size: ['clustering'],
  out_of_scope_label: ['classification'],
  score: ['classification'],
  raters: ['agreement'],
  annotators: ['agreement'],
  level: ['agreement'],
  players: ['ratings'],
  winner: ['ratings'],
  labels: ['ratings'],
  lengths: ['ratings'],
  k: ['ratings'],
  passed: ['pass_rate'],
  by: ['pass_rate'],
  weak: ['routing'],
  strong: ['routing'],
  text: ['routing'],
  group: ['routing'],
  resamples: ['classification', 'ratings', 'routing'],
  confidence_level: ['classification', 'ratings', 'pass_rate', 'calibration', 'routing'],
};

/** What each task cannot do without. */
const needed: { readonly [task in Task]: readonly string[] } = {
  clustering: ['truth'],
  classification: ['truth'],
  agreement: ['raters'],
  ratings: ['players'],
  pass_rate: [],
  calibration: ['truth'],
  cost: [],
  routing: ['weak', 'strong'],
};

type Given = { task: Task; [parameter: string]: unknown };

export function checkParameters(given: Given): { parameter: string; message: string }[] {
  const { task } = given;
  const problems = needed[task]
    .filter((parameter) => given[parameter] === undefined)
    .map((parameter) => ({ parameter, message: `${parameter} is needed for task ${task}` }));
  const properties: { readonly [name: string]: ValueSchema } = parameters.properties;
  for (const [parameter, tasks] of Object.entries(tasksOf)) {
    const value = given[parameter];
    if (tasks.includes(task) || value === undefined || value === properties[parameter]!.default) continue;
    problems.push({ parameter, message: `${parameter} has no effect with task ${task}` });
  }
  if (task === 'agreement') {
    const { raters, annotators, truth } = given as {
      raters?: string[];
      annotators?: string[];
      truth?: string;
    };
    if (truth !== undefined && annotators !== undefined)
      problems.push({ parameter: 'truth', message: 'truth and annotators both say what is right: give one' });
    if (raters?.length === 1 && truth === undefined && annotators === undefined)
      problems.push({
        parameter: 'raters',
        message: 'raters: one rater agrees with nobody; name two, or the truth',
      });
    const shared = raters?.find((name) => name === truth || annotators?.includes(name));
    if (shared !== undefined)
      problems.push({ parameter: 'raters', message: `raters: ${shared} is also what is right` });
  }
  return problems;
}
