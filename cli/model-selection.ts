import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonObject } from '../engine/json.ts';
import { ProblemError } from '../engine/problems.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import type { Workspace } from '../engine/workspace.ts';
import { costOf } from '../models/language/cost.ts';
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
  /** What counts most. */
  priority: 'quality' | 'cost';
  reason: string;
}

/** A model that might be taken, and what speaks for or against it. */
export interface Candidate {
  alias: string;
  /** `openai/gpt-5-mini` */
  model: string;
  context: number | null;
  /** The best score that a route of the workflow has for it: measured by an evaluation. */
  quality: number | null;
  /** What the use case would cost; null if no price is known. */
  usd: number | null;
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
    priority: { enum: ['quality', 'cost'], description: 'What counts more.' },
  },
  required: ['reason', 'longest_tokens', 'input_tokens', 'output_tokens', 'requests', 'priority'],
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
    signal,
  }: { workspace: Workspace; reader: string; useCase: string; signal: AbortSignal },
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
  const needs = result.answer.json as unknown as Needs;
  return { needs, candidates: ranked(needs, workflow, workspace) };
}

/** The candidates, the one to take first, those that do not fit last. */
function ranked(needs: Needs, workflow: ResolvedWorkflow, workspace: Workspace): Candidate[] {
  const measured = qualities(workflow);
  const candidates = listedAliases(workflow, readCatalogue(workspace)).map(
    ({ alias, provider, model, price }): Candidate => {
      const context = workspace.languageModels?.find(alias)?.tokens.context ?? null;
      const { input_tokens, output_tokens, requests } = needs;
      const usage = { input_tokens, output_tokens, cached_tokens: 0, written_tokens: 0, estimated: true };
      const cost = price === null ? null : costOf(usage, price) * requests;
      const tooSmall = context !== null && context < needs.longest_tokens;
      const quality = measured.get(alias) ?? null;
      const why = [
        context === null
          ? 'its context is not known'
          : `${count(needs.longest_tokens)} tokens ${tooSmall ? 'do not fit' : 'fit'} into its ${count(context)}`,
        quality === null ? 'no score was measured' : `score ${quality}`,
        cost === null ? 'no price is known' : `about ${usd(cost)} for ${count(requests)} requests`,
      ].join(', ');
      return {
        alias,
        model: `${provider}/${model}`,
        context,
        quality,
        usd: cost,
        rejected: tooSmall ? 'its context is too small' : null,
        why,
      };
    },
  );
  const better = (a: Candidate, b: Candidate) => (b.quality ?? -Infinity) - (a.quality ?? -Infinity) || 0;
  const cheaper = (a: Candidate, b: Candidate) => (a.usd ?? Infinity) - (b.usd ?? Infinity) || 0;
  const [first, second] = needs.priority === 'quality' ? [better, cheaper] : [cheaper, better];
  return candidates.sort(
    (a, b) => Number(a.rejected !== null) - Number(b.rejected !== null) || first(a, b) || second(a, b),
  );
}

/** The best score of each alias in the routes of the workflow. */
function qualities({ models }: ResolvedWorkflow): Map<string, number> {
  const best = new Map<string, number>();
  for (const { route } of Object.values(models) as { route?: { quality?: Record<string, number> } }[])
    for (const [alias, score] of Object.entries(route?.quality ?? {}))
      best.set(alias, Math.max(score, best.get(alias) ?? -Infinity));
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
    rejected === null ? why : `${rejected}: ${why}`,
  ]);
  return `${needs.reason}\n${needs.priority} counts most\n\n${columns(rows)}`;
}
