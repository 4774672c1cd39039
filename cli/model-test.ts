import type { AskResult } from '../engine/language-model.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import type { Workspace } from '../engine/workspace.ts';
import type { AnswerCache } from '../models/language/answers.ts';
import type { Cli } from './command.ts';
import { columns, usd } from './format.ts';
import { openLanguageModels } from './language-models.ts';

/** What a model of a workflow said to a question that is asked to see whether it answers. */
export interface TestedModel {
  alias: string;
  /** `openai/gpt-5-mini` */
  asked: string;
  served: string | null;
  ms: number;
  /** What it cost; null if no price is known, or nothing came. */
  usd: number | null;
  text: string | null;
  /** Why there is no answer; null if there is one. */
  error: string | null;
}

const question = 'Reply with the single word: yes';

/** Nothing is known, and nothing is kept. */
const noAnswers: AnswerCache = { get: async () => undefined, put: () => {} };

/** Asks each language model of a workflow one short question, all at once. A replay knows no such question. */
export async function testModels(
  workflow: ResolvedWorkflow,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<TestedModel[]> {
  if (workspace.languageModels === null) return [];
  openLanguageModels(workflow, workspace, { answers: noAnswers, live: true });
  const { names, find } = workspace.languageModels;
  const models = names
    .flatMap((alias) => find(alias) ?? [])
    .filter(({ asked }) => !asked.startsWith('replay/'));
  return Promise.all(
    models.map(async (model) => {
      const { alias } = model;
      const started = performance.now();
      const messages = [{ role: 'user', content: question }] as const;
      const result: AskResult = await model.ask({ messages }, { signal, notify: () => {} });
      const ms = Math.round(performance.now() - started);
      if ('answer' in result) {
        const { served, usd: cost, text } = result.answer;
        return { alias, asked: model.asked, served, ms, usd: cost, text, error: null };
      }
      const { message, hint } = result.failure;
      const error = hint === undefined ? message : `${message}; ${hint}`;
      return { alias, asked: model.asked, served: null, ms, usd: null, text: null, error };
    }),
  );
}

/** A line for each model. */
export function testTable(tested: readonly TestedModel[], cli: Cli): string {
  const head = ['', 'alias', 'model', 'served', 'ms', 'cost', 'said'].map((text) => cli.paint('bold', text));
  const rows = tested.map(({ alias, asked, served, ms, usd: cost, text, error }) => [
    error === null ? cli.paint('green', '✔') : cli.paint('red', '✖'),
    alias,
    asked,
    served ?? '',
    String(ms),
    cost === null ? '' : usd(cost),
    error ?? JSON.stringify(text),
  ]);
  return columns([head, ...rows]);
}
