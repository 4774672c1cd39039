import { ProblemError } from '../engine/problems.ts';
import type { BudgetLimits } from '../models/language/budget.ts';
import type { Option } from './command.ts';

/** `--budget`, the same for every command that asks language models. */
export const budgetOption: Option = {
  flags: '--budget <limits>',
  description:
    'what calls to language models may take: `2.50` or `5usd`, `200calls`, `1Mtokens`, or several (`5usd,200calls`); the run stops before the one that would pass it',
};

const units: { readonly [unit: string]: keyof BudgetLimits } = {
  '': 'usd',
  usd: 'usd',
  call: 'calls',
  calls: 'calls',
  token: 'tokens',
  tokens: 'tokens',
};
const times: { readonly [prefix: string]: number } = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
const oneLimit = /^\$?(\d+(?:\.\d*)?|\.\d+)\s*([kmg]?)\s*(|usd|calls?|tokens?)$/i;

/** Reads `5usd,200calls`. Throws a ProblemError that says which part cannot be read. */
export function readBudget(text: string): BudgetLimits {
  const limits: { -readonly [kind in keyof BudgetLimits]: number } = {};
  for (const part of text.split(',')) {
    const found = oneLimit.exec(part.trim());
    const kind = found && units[found[3]!.toLowerCase()]!;
    const amount = found && Number(found[1]) * times[found[2]!.toLowerCase()]!;
    if (!kind || amount === null || !Number.isFinite(amount))
      throw wrong(
        part,
        'it needs an amount: --budget 2.50 (US dollars), 200calls, 1Mtokens, or 5usd,200calls',
      );
    if (part.includes('$') && kind !== 'usd') throw wrong(part, `is it dollars or ${kind}?`);
    if (kind !== 'usd' && !Number.isInteger(amount)) throw wrong(part, `${kind} are counted whole`);
    if (limits[kind] !== undefined) throw wrong(text, `it limits ${kind} twice`);
    limits[kind] = amount;
  }
  return limits;
}

function wrong(text: string, hint: string): ProblemError {
  return ProblemError.of('wrong-call', `--budget cannot be "${text}"`, { hint });
}
