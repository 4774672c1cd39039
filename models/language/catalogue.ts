import list from './prices.json' with { type: 'json' };

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  /** Read from the provider's cache; the price of `input` if not given. */
  readonly cached?: number;
  /** Written to the provider's cache; the price of `input` if not given. */
  readonly written?: number;
  readonly output: number;
  /** In a batch, where that is not half of it. */
  readonly batch?: { readonly input: number; readonly output: number };
}

/** A model of the catalogue, with where and when its entry was read. */
export interface ListedModel extends Price {
  readonly provider: string;
  readonly model: string;
  /** Tokens that a request may have, its answer included. */
  readonly context?: number;
  readonly source: string;
  readonly date: string;
}

/** The catalogue that comes with the product. */
export const listedModels: readonly ListedModel[] = list.prices.map((price) => ({
  ...price,
  ...list.sources[price.provider as keyof typeof list.sources],
}));

/** A dated name (`gpt-4.1-2025-04-14`, `claude-haiku-4-5-20251001`) has the price of the name without its date. */
const date = /-(\d{4}-\d{2}-\d{2}|\d{8})$/;

/** Finds models of the providers' own. */
export interface Catalogue {
  find(provider: string, model: string): ListedModel | undefined;
  /** All entries, by provider and name. */
  readonly all: readonly ListedModel[];
  /** Providers whose models were fetched: what is missing there is not served, or very new. */
  readonly fetched: ReadonlySet<string>;
}

/** @param refreshed newer entries, which go before those of the product */
export function catalogueOf(refreshed: readonly ListedModel[] = []): Catalogue {
  const models = new Map<string, ListedModel>();
  for (const entry of [...listedModels, ...refreshed]) models.set(`${entry.provider}/${entry.model}`, entry);
  return {
    find: (provider, model) =>
      models.get(`${provider}/${model}`) ?? models.get(`${provider}/${model.replace(date, '')}`),
    fetched: new Set(refreshed.map(({ provider }) => provider)),
    all: [...models.values()].sort((a, b) =>
      `${a.provider}/${a.model}` < `${b.provider}/${b.model}` ? -1 : 1,
    ),
  };
}
