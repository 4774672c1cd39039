import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { moduleUrl as analyseUrl, type ClusterTrend } from './analyse.ts';
import { moduleUrl as keywordsUrl } from './keywords.ts';
import { parameters } from './parameters.ts';
import { readTimedRows } from './read.ts';
import { countSlices, cutTime } from './slices.ts';

/** Every cluster has a row for each slice, and every pair of slices is compared. */
const mostSlices = 1000;

export default defineStep({
  type: 'trends',
  summary: 'Tells which clusters grow, shrink or burst over time, and what they speak of when',
  description: `Time is cut into slices: hours, days, weeks (ISO, from Monday), months, quarters or years of UTC, or so many equal parts; \`auto\` takes the finest unit that makes at most
60. What counts is the **share** of a cluster in all rows of a slice, so that a busy week is no trend. A time is a text (ISO 8601, of UTC where it names no zone) or a number of seconds or milliseconds since
1970; rows without one are left out. Rows without a cluster, or in the cluster −1 (noise), count in the totals only.

- **Trend**: \`slope\` is Theil and Sen's (the median of the slopes of all pairs of slices; share a slice, with bounds at 95 %), which a few wild slices do not move; whether it is more
  than chance says the Mann-Kendall test (with the corrections for ties and continuity).
- **Bursts**: windows of 1, 2, 3, 4, 6, 8, 12, … slices that hold more of the cluster than the rest of the time makes one expect, by Fisher's exact test; of a cluster with a trend, more
  than its line does (Poisson). Of windows that overlap the one that stands out most is told.
- **How sure**: \`q_value\` is the p-value adjusted for all clusters (of bursts: all windows of all clusters; Benjamini & Hochberg 1995), times two for the two questions. What is at most
  \`alpha\` is told: of this the share \`alpha\` is wrong on average, if a row's time says nothing of those of others. Where rows come in bunches (one person asking ten times), remove duplicates first.
- **Words**: \`keywords\` of each cluster in each slice, by the c-TF-IDF of the slice's texts with the rarities of the whole, averaged with the slice before (\`evolution_tuning\`) and with the
  cluster's own (\`global_tuning\`), as BERTopic's \`topics_over_time\` does it.

With slices few or unequal (the first and last may be cut off) trends are weak: fewer than five slices cannot show any. The page of a \`report\` draws the shares, trends and bursts.`,
  parameters,
  inputs: { rows: { kind: 'table', description: 'Rows with a time and a cluster.' } },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'A row for each cluster: `size`, `share`, `direction` (rising, falling, steady), `slope` with `slope_low` and `slope_high` (share a slice), `tau` (Kendall), `p_value`, `q_value`, `bursts` (how many) and `peak` (the slice of its greatest share).',
    },
    slices: {
      kind: 'table',
      description:
        'A row for each cluster and slice: `slice`, `rows`, `of` (rows of all), `share` (null without rows), `burst`, and its `keywords` there.',
    },
    bursts: {
      kind: 'table',
      description:
        'A row for each burst, the surest first: `cluster`, `from` and `to` (first and last slice), `slices`, `rows`, `expected`, `ratio` of the two, `p_value`, `q_value`.',
    },
  },
  metrics: {
    clusters: 'Number of clusters.',
    slices: 'Number of slices.',
    rising: 'Clusters whose share rises.',
    falling: 'Clusters whose share falls.',
    bursts: 'Bursts of all clusters.',
    rows: 'Rows with a time.',
    excluded: 'Rows without a time.',
  },
  example: `over_time:
  use: trends
  from: topics
  with: { time: created_at, slice: week }`,

  async run({ parameters: given, inputs, outputs, context }) {
    const { time, cluster, keywords, slice: by } = given;
    const text = keywords > 0 ? given.text : null;
    requireFields(
      inputs.rows,
      [time, cluster, text].filter((field) => field !== null),
    );
    const read = await readTimedRows(inputs.rows, { time, cluster, text });
    const { times, clusters: clusterOf, numbers, texts, withoutTime } = read;
    if (withoutTime > 0)
      context.warn(`${withoutTime} of ${inputs.rows.rows} rows have no ${time}; they are left out`);
    const slices = countSlices(times, by);
    if (slices > mostSlices)
      throw new StepError(
        'too-many-slices',
        `slice: ${by} makes ${slices} slices of the rows' time; ${mostSlices} is the most`,
        'take a longer unit, a number of slices or auto; look for a time far from the others, such as 1970',
      );
    const { names, of: sliceOf } = cutTime(times, by);
    const k = numbers.length;
    const counts = new Float64Array(k * slices);
    const totals = new Float64Array(slices);
    sliceOf.forEach((own, row) => {
      if (own < 0) return;
      totals[own]!++;
      if (clusterOf[row]! >= 0) counts[clusterOf[row]! * slices + own]!++;
    });
    const [trends, words] = await Promise.all([
      context.pool.run<unknown, ClusterTrend[]>(analyseUrl, 'analyse', {
        counts,
        totals,
        clusters: k,
        alpha: given.alpha,
        leastRows: given.min_burst_rows,
      }),
      text === null
        ? undefined
        : context.pool.run<unknown, string[][][]>(keywordsUrl, 'keywordsOverTime', {
            texts,
            clusterOf,
            sliceOf,
            clusters: k,
            slices,
            keywords,
            longest: given.max_ngram,
            stopWords: given.stop_words,
            globalTuning: given.global_tuning,
            evolutionTuning: given.evolution_tuning,
          }),
    ]);

    const timed = inputs.rows.rows - withoutTime;
    for (const [place, number] of numbers.entries()) {
      const { bursts, ...trend } = trends[place]!;
      const own = counts.subarray(place * slices, (place + 1) * slices);
      const shares = Array.from(own, (count, at) => (totals[at]! > 0 ? count / totals[at]! : null));
      const size = own.reduce((sum, count) => sum + count, 0);
      const most = Math.max(0, ...shares.map((share) => share ?? 0));
      await outputs.rows.write({
        id: String(number),
        cluster: number,
        size,
        share: timed > 0 ? significant(size / timed) : 0,
        direction: trend.direction,
        slope: significant(trend.slope),
        slope_low: significant(trend.low),
        slope_high: significant(trend.high),
        tau: significant(trend.tau),
        p_value: significant(trend.pValue),
        q_value: significant(trend.qValue),
        bursts: bursts.length,
        peak: most > 0 ? names[shares.indexOf(most)]! : null,
      });
      for (const [at, name] of names.entries())
        await outputs.slices.write({
          id: `${number}@${name}`,
          cluster: number,
          slice: name,
          rows: own[at]!,
          of: totals[at]!,
          share: shares[at] === null ? null : significant(shares[at]!),
          burst: bursts.some(({ from, to }) => from <= at && at < to),
          ...(words && { keywords: words[place]![at]! }),
        });
    }
    const bursts = trends.flatMap(({ bursts: own }, place) =>
      own.map((burst) => ({ ...burst, number: numbers[place]! })),
    );
    for (const burst of bursts.toSorted((a, b) => a.pValue - b.pValue || a.number - b.number))
      await outputs.bursts.write({
        id: `${burst.number}@${names[burst.from]!}`,
        cluster: burst.number,
        from: names[burst.from]!,
        to: names[burst.to - 1]!,
        slices: burst.to - burst.from,
        rows: burst.count,
        expected: significant(burst.expected),
        ratio: burst.expected > 0 ? significant(burst.count / burst.expected) : null,
        p_value: significant(burst.pValue),
        q_value: significant(burst.qValue),
      });
    outputs.bursts.expect(['id', 'cluster', 'from', 'to']);
    return {
      metrics: {
        clusters: k,
        slices,
        rising: trends.filter(({ direction }) => direction === 'rising').length,
        falling: trends.filter(({ direction }) => direction === 'falling').length,
        bursts: bursts.length,
        rows: timed,
        excluded: withoutTime,
      },
    };
  },
});
