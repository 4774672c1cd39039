import { type Cost, noCost } from './record/record.ts';

/** What a step asked of language models; filed with its result. */
export interface Asked {
  cost: Cost;
  models: ModelUse[];
}

export interface ModelUse {
  /** The name in the workflow. */
  alias: string;
  /** `openai/gpt-5-mini` */
  asked: string;
  /** What the provider says it served, each once. */
  served: string[];
  /** Answers of this run whose cost is not known, because no price is. */
  unpriced: number;
  /** Milliseconds that an answer took, at the median of the last 20 of this run; absent where none was asked for, or several models answered. */
  latency_ms?: number;
}

/** What a result that is used again has saved: everything that its answers cost, whenever that was. */
export function askedBefore({ cost, models }: Asked): Asked {
  return {
    cost: { ...noCost, saved_usd: cost.usd + cost.saved_usd },
    models: models.map(({ latency_ms: _, ...use }) => ({ ...use, unpriced: 0 })),
  };
}

export function addCost(a: Cost, b: Cost): Cost {
  return {
    usd: a.usd + b.usd,
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    saved_usd: a.saved_usd + b.saved_usd,
  };
}

/** What several steps, or several attempts of one, asked together. */
export function addAsked(parts: readonly Asked[]): Asked {
  const uses = new Map<string, ModelUse>();
  for (const { alias, asked, served, unpriced, latency_ms: own } of parts.flatMap(({ models }) => models)) {
    const known = uses.get(alias);
    const latency = own ?? known?.latency_ms;
    uses.set(alias, {
      alias,
      asked,
      served: [...new Set([...(known?.served ?? []), ...served])].sort(),
      unpriced: (known?.unpriced ?? 0) + unpriced,
      ...(latency !== undefined && { latency_ms: latency }),
    });
  }
  return {
    cost: parts.reduce((sum, { cost }) => addCost(sum, cost), noCost),
    models: [...uses.values()].sort((a, b) => (a.alias < b.alias ? -1 : 1)),
  };
}
