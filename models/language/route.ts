import type { Json, JsonObject } from '../../engine/json.ts';
import type { LanguageRequest, RouteTrace, RowField } from '../../engine/language-model.ts';
import { estimatedInput } from './cost.ts';
import type { Endpoint } from './endpoint.ts';
import { ruleFails } from './failures.ts';
import type { Line } from './model.ts';
import { fullRequest } from './request.ts';

/** Which models a request goes to, the first one first, and why, where that was chosen for it. */
export interface Choice {
  readonly order: readonly Endpoint[];
  /** So many of them, from the first on, are as good as the first: what one of these said earlier is taken before one is asked. */
  readonly alike: number;
  readonly route: RouteTrace | null;
}

/** Reads a CEL condition; gives what tells whether it holds. */
export type Condition = (source: string) => Promise<(scope: Record<string, unknown>) => boolean>;

export const routeKinds = ['cost', 'quality', 'latency', 'fallback', 'rules'] as const;

/** A `route` of the workflow's `models`. */
export interface RouteSettings {
  readonly among: readonly string[];
  readonly by: (typeof routeKinds)[number];
  /** Measured scores by alias. */
  readonly quality: Readonly<Record<string, number>>;
  /** Milliseconds by alias that were measured before; empty: what is measured in this run. */
  readonly latency: Readonly<Record<string, number>>;
  readonly min_quality: number | null;
  readonly rules: readonly {
    readonly when: string | null;
    readonly use: string;
    /** Fields of the row that the condition reads. */
    readonly fields: readonly string[];
    /** Of these, the fields that it asks for by `has`. */
    readonly tested: readonly string[];
  }[];
  /** Where numbers of `quality` and `latency` were read: `run 2026…/scores[model=small].accuracy`. */
  readonly measured: Readonly<Record<'quality' | 'latency', Readonly<Record<string, string>>>>;
}

export function isRoute(alias: JsonObject): boolean {
  return alias['route'] !== undefined;
}

/** Reads an alias that its schema has been checked against. */
export function readRoute(alias: JsonObject): RouteSettings {
  const route = alias['route'] as JsonObject;
  return {
    among: route['among'] as string[],
    by: (route['by'] as RouteSettings['by'] | undefined) ?? 'cost',
    quality: (route['quality'] as Record<string, number> | undefined) ?? {},
    latency: (route['latency'] as Record<string, number> | undefined) ?? {},
    min_quality: (route['min_quality'] as number | undefined) ?? null,
    rules: ((route['rules'] as JsonObject[] | undefined) ?? []).map((rule) => ({
      when: (rule['when'] as string | undefined) ?? null,
      use: rule['use'] as string,
      fields: (rule['fields'] as string[] | undefined) ?? [],
      tested: (rule['tested_fields'] as string[] | undefined) ?? [],
    })),
    measured: {
      quality: {},
      latency: {},
      ...(route['measured'] as { [kind: string]: Record<string, string> } | undefined),
    },
  };
}

interface Candidate {
  readonly alias: string;
  readonly line: Line;
}

/** What a request is like, for rules: their names in CEL. */
interface Traits {
  /** About; a quarter of the bytes. */
  readonly tokens: number;
  readonly json: boolean;
  readonly images: boolean;
  readonly text: string;
  /** Of the row that is asked about, the fields that conditions read. */
  readonly row: JsonObject;
}

/** An alias that sends each request to one of several others, and to the next best of them if that one has no answer. */
export function routeOf(
  settings: RouteSettings,
  lines: ReadonlyMap<string, Line>,
  condition: Condition | undefined,
): Line {
  const candidates = settings.among.map((alias): Candidate => {
    const line = lines.get(alias);
    if (line === undefined) throw new Error(`a route goes to ${alias}, which is no model`);
    return { alias, line };
  });
  const known = candidates.map(({ line }) => line.tokens);
  const largest = known.every(({ context }) => context !== null)
    ? known.reduce((a, b) => (b.context! > a.context! ? b : a))
    : { ...known[0]!, context: null };
  const asked = `route by ${settings.by} among ${settings.among.join(', ')}`;
  const rowFields = fieldsOf(settings.rules);
  return {
    identity: {
      route: {
        by: settings.by,
        quality: settings.quality,
        ...(Object.keys(settings.latency).length > 0 && { latency: settings.latency }),
        min_quality: settings.min_quality,
        rules: settings.rules.map(({ when, use }) => ({ when, use })),
      },
      among: Object.fromEntries(candidates.map(({ alias, line }) => [alias, line.identity])),
    } as unknown as JsonObject,
    asked,
    rowFields,
    tokens: largest,
    endpoints: candidates.flatMap(({ line }) => line.endpoints),
    async choose(request, row) {
      if (rowFields.length > 0 && row === undefined)
        return ruleFails(
          asked,
          `its rules read row.${rowFields[0]?.name}, and this step asks about no row`,
          'step',
        );
      const traits = traitsOf(request, row ?? {});
      const out: { model: string; why: string }[] = [];
      const fitting = candidates.filter((candidate) => {
        const why = unfit(candidate, request, traits, settings);
        if (why !== null) out.push({ model: candidate.alias, why });
        return why === null;
      });
      const ranked = await rank(fitting, request, traits, settings, condition);
      if ('wrong' in ranked) return ruleFails(asked, ranked.wrong, 'row', ranked.hint);
      for (const candidate of fitting)
        if (!ranked.some((other) => other.candidate === candidate))
          out.push({ model: candidate.alias, why: 'no rule for it holds' });
      const [first, ...rest] = ranked;
      const trace: RouteTrace = {
        by: settings.by,
        chosen: first?.candidate.alias ?? null,
        why: first?.why ?? 'none fits',
        others: [...rest.map(({ candidate, why }) => ({ model: candidate.alias, why })), ...out],
      };
      const order = ranked.flatMap(({ candidate }) => candidate.line.endpoints);
      // A cheaper or quicker model is not needed where another has spoken; a better one is.
      const better = settings.by === 'quality' || settings.by === 'rules';
      const alike = better ? (first?.candidate.line.endpoints.length ?? 0) : order.length;
      return { order, alike, route: trace };
    },
  };
}

/** The fields of the row that rules read; optional if each rule that reads one asks for it. */
function fieldsOf(rules: RouteSettings['rules']): RowField[] {
  const names = [...new Set(rules.flatMap(({ fields }) => fields))].sort();
  return names.map((name) => ({
    name,
    optional: rules.every(({ fields, tested }) => !fields.includes(name) || tested.includes(name)),
  }));
}

function traitsOf({ messages, schema }: LanguageRequest, row: JsonObject): Traits {
  return {
    tokens: estimatedInput(messages),
    json: schema !== undefined,
    images: messages.some(({ images = [] }) => images.length > 0),
    text: messages.findLast(({ role }) => role === 'user')?.content ?? '',
    row,
  };
}

/** Why a model cannot be asked; null if it can. */
function unfit(
  { alias, line }: Candidate,
  request: LanguageRequest,
  { tokens }: Traits,
  { quality, min_quality, measured }: RouteSettings,
): string | null {
  const { context } = line.tokens;
  const [own] = line.endpoints;
  const answer = fullRequest(request, own!.settings.sampling).sampling.max_tokens ?? 0;
  if (context !== null && tokens + answer > context)
    return `about ${tokens + answer} tokens do not fit into its ${context}`;
  const score = quality[alias];
  if (min_quality !== null && score === undefined) return 'its quality was not measured';
  if (min_quality !== null && score! < min_quality)
    return `its quality of ${numbered(alias, score!, measured.quality)} is below ${min_quality}`;
  return null;
}

/** A number, with the run that measured it where one did. */
function numbered(alias: string, value: number, sources: Readonly<Record<string, string>>): string {
  return sources[alias] === undefined ? `${value}` : `${value} (${sources[alias]})`;
}

interface Ranked {
  readonly candidate: Candidate;
  readonly why: string;
}

/** Why a rule says neither yes nor no. */
interface Undecided {
  readonly wrong: string;
  readonly hint?: string;
}

/** The models that fit, the best first; of equals the one that is written first. */
async function rank(
  fitting: readonly Candidate[],
  request: LanguageRequest,
  traits: Traits,
  { by, quality, latency, rules, measured }: RouteSettings,
  condition: Condition | undefined,
): Promise<Ranked[] | Undecided> {
  const sorted = (score: (candidate: Candidate) => number, why: (candidate: Candidate) => string): Ranked[] =>
    fitting
      .map((candidate) => ({ candidate, why: why(candidate), score: score(candidate) }))
      .sort((a, b) => a.score - b.score)
      .map(({ candidate, why: reason }) => ({ candidate, why: reason }));
  switch (by) {
    case 'fallback':
      return fitting.map((candidate, place) => ({ candidate, why: `number ${place + 1} as written` }));
    case 'quality':
      return sorted(
        ({ alias }) => -(quality[alias] ?? -Infinity),
        ({ alias }) =>
          quality[alias] === undefined
            ? 'its quality was not measured'
            : `quality ${numbered(alias, quality[alias], measured.quality)}`,
      );
    case 'latency':
      if (Object.keys(latency).length > 0)
        return sorted(
          ({ alias }) => latency[alias] ?? Infinity,
          ({ alias }) =>
            latency[alias] === undefined
              ? 'its latency was not measured'
              : `${numbered(alias, latency[alias], measured.latency)} ms`,
        );
      return sorted(
        ({ line }) => line.endpoints[0]!.latencyMs ?? 0,
        ({ line }) => {
          const ms = line.endpoints[0]!.latencyMs;
          return ms === null ? 'its latency is not known yet' : `${Math.round(ms)} ms at the median`;
        },
      );
    case 'rules':
      return ruled(fitting, traits, rules, condition);
    default: {
      const costs = new Map(fitting.map((candidate) => [candidate, costOf(candidate, request)]));
      return sorted(
        (candidate) => costs.get(candidate) ?? Infinity,
        (candidate) => {
          const usd = costs.get(candidate) ?? null;
          return usd === null ? 'no price is known' : `about $${Number(usd.toPrecision(2))}`;
        },
      );
    }
  }
}

/** US dollars; a server of one's own without a price costs nothing. */
function costOf({ line }: Candidate, request: LanguageRequest): number | null {
  const [own] = line.endpoints;
  const { usd } = own!.estimates.byLength(fullRequest(request, own!.settings.sampling), 0);
  return usd ?? (own!.settings.hosted ? null : 0);
}

/** The model of the first rule that holds, then those of the rules after it that hold as well. */
async function ruled(
  fitting: readonly Candidate[],
  traits: Traits,
  rules: RouteSettings['rules'],
  condition: Condition | undefined,
): Promise<Ranked[] | Undecided> {
  const ranked: Ranked[] = [];
  for (const { when, use } of rules) {
    const candidate = fitting.find(({ alias }) => alias === use);
    if (candidate === undefined || ranked.some((other) => other.candidate === candidate)) continue;
    if (when !== null && condition === undefined)
      throw new Error('nobody reads the conditions of this route');
    let holds = when === null;
    if (when !== null)
      try {
        holds = (await condition!(when))({ ...traits } satisfies Record<string, Json>);
      } catch (error) {
        const { message, hint } = error as Error & { hint?: string };
        return { wrong: `the rule ${when} cannot be told: ${message}`, ...(hint !== undefined && { hint }) };
      }
    if (holds)
      ranked.push({ candidate, why: when === null ? 'no rule before it holds' : `the rule ${when} holds` });
  }
  return ranked;
}
