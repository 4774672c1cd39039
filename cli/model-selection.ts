import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonObject } from '../engine/json.ts';
import { ProblemError } from '../engine/problems.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import type { Workspace } from '../engine/workspace.ts';
import { costOf } from '../models/language/cost.ts';
import { readSettings } from '../models/language/settings.ts';
import type { Cli } from './command.ts';
import { columns, count, usd } from './format.ts';
import { listedAliases } from './language-model-list.ts';
import { readCatalogue } from './price-catalogue.ts';

/** What a use case needs of a model, as a model read it from its description. */
export interface Needs {
  /** Tokens of the longest request with its answer, and of a usual one and its answer. */
  longest_tokens: number;
  input_tokens: number;
  output_tokens: number;
  requests: number;
  /** Answers are JSON. */
  json: boolean;
  /** Requests come with pictures. */
  images: boolean;
  /** ISO codes of the languages of requests and answers; none if the description does not tell. */
  languages: string[];
  /** US dollars that all of it may cost; null if nothing says so. */
  most_usd: number | null;
  /** What counts most. */
  priority: Preference;
  reason: string;
}

export const preferences = ['quality', 'cost', 'speed'] as const;
export type Preference = (typeof preferences)[number];

/** What the task wants in one respect, and what the model has of it. */
export interface Trait {
  trait: 'context' | 'json' | 'images' | 'languages' | 'price' | 'score' | 'latency';
  wanted: string;
  has: string;
  /** Null where nothing is known, or nothing is wanted. */
  fits: boolean | null;
}

/** A model that might be taken, and what speaks for or against it. */
export interface Candidate {
  alias: string;
  /** `openai/gpt-5-mini` */
  model: string;
  context: number | null;
  /** The best score that a route of the workflow has for it: measured by an evaluation. */
  quality: number | null;
  /** Milliseconds that a route of the workflow has for it. */
  latency: number | null;
  /** What the use case would cost; null if no price is known. */
  usd: number | null;
  traits: Trait[];
  /** Null where it may be taken. */
  rejected: string | null;
  why: string;
}

const tokens = (description: string): JsonObject => ({ type: 'integer', minimum: 1, description });

const needsSchema: JsonObject = {
  type: 'object',
  properties: {
    reason: { type: 'string', description: 'In two sentences: what is asked of the model, and what counts.' },
    longest_tokens: tokens('The longest request, with its answer.'),
    input_tokens: tokens('A usual request.'),
    output_tokens: tokens('A usual answer.'),
    requests: { type: 'integer', minimum: 1, description: 'How many requests there will be.' },
    json: { type: 'boolean', description: 'Whether answers must be JSON.' },
    images: { type: 'boolean', description: 'Whether requests come with pictures.' },
    languages: {
      type: 'array',
      items: { type: 'string', pattern: '^[a-z]{2,3}$' },
      description: 'ISO 639 codes of the languages of requests and answers; none if the text does not tell.',
    },
    most_usd: {
      type: ['number', 'null'],
      description: 'US dollars that all of it may cost; null if the text does not say.',
    },
    priority: { enum: [...preferences], description: 'What counts most.' },
  },
  required: [
    'reason',
    'longest_tokens',
    'input_tokens',
    'output_tokens',
    'requests',
    'json',
    'images',
    'languages',
    'most_usd',
    'priority',
  ],
  additionalProperties: false,
};

const question = (useCase: string) =>
  `Here is the description of a task for language models. Say what it needs of a model: estimate what it does not say.\n\n${useCase}`;

/** The description of a use case, by its path as typed. */
export function readUseCase(path: string, { cwd }: Pick<Cli, 'cwd'>): string {
  try {
    return readFileSync(resolve(cwd, path), 'utf8');
  } catch (error) {
    throw ProblemError.of('file-not-readable', `${path} cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Recommends a model of a workflow for a use case: a model reads what is needed from its description, and the rest is
 * arithmetic, so that the same description gives the same choice, without asking again.
 */
export async function selectModel(
  workflow: ResolvedWorkflow,
  {
    workspace,
    reader,
    useCase,
    prefer,
    signal,
  }: {
    workspace: Workspace;
    reader: string;
    useCase: string;
    /** Instead of what the reader thinks counts most. */
    prefer?: Preference | undefined;
    signal: AbortSignal;
  },
): Promise<{ needs: Needs; candidates: Candidate[] }> {
  const { names = [], find } = workspace.languageModels ?? {};
  const model = find?.(reader);
  if (model === undefined)
    throw ProblemError.of('unknown-model', `the workflow has no language model "${reader}"`, {
      ...(names.length > 0 && { hint: `there are: ${names.join(', ')}` }),
    });
  const messages = [{ role: 'user', content: question(useCase) }] as const;
  const result = await model.ask({ messages, schema: needsSchema }, { signal, notify: () => {} });
  if ('failure' in result) {
    const { code, message, hint } = result.failure;
    throw ProblemError.of(code, `${reader} did not read the use case: ${message}`, { ...(hint && { hint }) });
  }
  const read = result.answer.json as unknown as Needs;
  const needs = { ...read, priority: prefer ?? read.priority };
  return { needs, candidates: ranked(needs, workflow, workspace) };
}

/** The candidates, the one to take first, those that do not fit last. */
function ranked(needs: Needs, workflow: ResolvedWorkflow, workspace: Workspace): Candidate[] {
  const scores = measured(workflow, 'quality');
  const latencies = measured(workflow, 'latency');
  const candidates = listedAliases(workflow, readCatalogue(workspace)).map((listed): Candidate => {
    const { alias, provider, model, price } = listed;
    const context = workspace.languageModels?.find(alias)?.tokens.context ?? null;
    const { input_tokens, output_tokens, requests } = needs;
    const usage = { input_tokens, output_tokens, cached_tokens: 0, written_tokens: 0, estimated: true };
    const cost = price === null ? null : costOf(usage, price) * requests;
    const quality = scores.get(alias) ?? null;
    const latency = latencies.get(alias) ?? null;
    const { json, languages } = readSettings(workflow.models[alias]!);
    const traits = traitsOf(needs, { context, cost, quality, latency, provider, json, languages });
    const misfit = traits.find(({ fits }) => fits === false);
    const rejected =
      provider === 'replay'
        ? 'it has recorded answers only'
        : misfit === undefined
          ? null
          : `${misfit.trait}: ${misfit.has}, and the task wants ${misfit.wanted}`;
    const why = traits.map(({ trait, has }) => `${trait} ${has}`).join(', ');
    return {
      alias,
      model: `${provider}/${model}`,
      context,
      quality,
      latency,
      usd: cost,
      traits,
      rejected,
      why,
    };
  });
  const orders: { [preference in Preference]: (a: Candidate, b: Candidate) => number } = {
    quality: (a, b) => (b.quality ?? -Infinity) - (a.quality ?? -Infinity) || 0,
    cost: (a, b) => (a.usd ?? Infinity) - (b.usd ?? Infinity) || 0,
    speed: (a, b) => (a.latency ?? Infinity) - (b.latency ?? Infinity) || 0,
  };
  const first = orders[needs.priority];
  return candidates.sort(
    (a, b) =>
      Number(a.rejected !== null) - Number(b.rejected !== null) ||
      first(a, b) ||
      orders.quality(a, b) ||
      orders.cost(a, b),
  );
}

/** What the task wants of a model, against what it has. */
function traitsOf(
  needs: Needs,
  has: {
    context: number | null;
    cost: number | null;
    quality: number | null;
    latency: number | null;
    provider: string;
    json: 'schema' | 'object' | 'prompt';
    languages: readonly string[] | undefined;
  },
): Trait[] {
  const { context, cost, quality, latency, provider, languages } = has;
  const { longest_tokens, most_usd, requests } = needs;
  const ways = { schema: 'by a schema', object: 'by JSON mode', prompt: 'in words only' };
  const way = provider === 'command' ? ways.prompt : ways[has.json];
  const pictures = provider !== 'local' && provider !== 'replay';
  return [
    {
      trait: 'context',
      wanted: `${count(longest_tokens)} tokens`,
      has: context === null ? 'not known' : `of ${count(context)} tokens`,
      fits: context === null ? null : context >= longest_tokens,
    },
    {
      trait: 'json',
      wanted: needs.json ? 'JSON' : 'any text',
      has: way,
      fits: needs.json ? (way === ways.prompt ? null : true) : null,
    },
    {
      trait: 'images',
      wanted: needs.images ? 'pictures' : 'none',
      has: pictures ? 'as the provider takes them' : 'not taken',
      fits: !needs.images ? null : pictures ? null : false,
    },
    {
      trait: 'languages',
      wanted: needs.languages.length === 0 ? 'any' : needs.languages.join(', '),
      has: languages?.join(', ') ?? 'not said',
      fits:
        languages === undefined || needs.languages.length === 0
          ? null
          : needs.languages.every((language) => languages.includes(language)),
    },
    {
      trait: 'price',
      wanted: most_usd === null ? 'no limit' : `${usd(most_usd)} at most`,
      has: cost === null ? 'not known' : `about ${usd(cost)} for ${count(requests)} requests`,
      fits: cost === null || most_usd === null ? null : cost <= most_usd,
    },
    {
      trait: 'score',
      wanted: 'a high one',
      has: quality === null ? 'not measured' : `${quality}`,
      fits: null,
    },
    {
      trait: 'latency',
      wanted: 'a short one',
      has: latency === null ? 'not measured' : `of ${count(Math.round(latency))} ms`,
      fits: null,
    },
  ];
}

/** The best number of each alias in the routes of the workflow. */
function measured({ models }: ResolvedWorkflow, kind: 'quality' | 'latency'): Map<string, number> {
  const best = new Map<string, number>();
  const better = kind === 'quality' ? Math.max : Math.min;
  for (const { route } of Object.values(models) as { route?: { [kind: string]: Record<string, number> } }[])
    for (const [alias, value] of Object.entries(route?.[kind] ?? {}))
      best.set(alias, better(value, best.get(alias) ?? value));
  return best;
}

/** What is needed, and a line for each model. */
export function selectionTable(
  { needs, candidates }: { needs: Needs; candidates: Candidate[] },
  cli: Cli,
): string {
  const rows = candidates.map(({ alias, model, rejected, why }, index) => [
    rejected !== null ? cli.paint('red', '✖') : index === 0 ? cli.paint('green', '✔') : '',
    alias,
    model,
    rejected === null ? why : `${rejected} (${why})`,
  ]);
  return `${needs.reason}\n${needs.priority} counts most\n\n${columns(rows)}`;
}
