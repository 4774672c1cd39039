import type { Metrics, Row } from '../../engine/artefacts.ts';
import type { Json, JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepContext, StepResult, TableOutput } from '../../engine/step.ts';
import { significant } from '../significant.ts';
import { answerFields } from './ask.ts';
import { type CheckResults, openChecks } from './checks.ts';
import { type Finding, findingOf, overallScore, panelFinding } from './combine.ts';
import { criteriaOf, type Given, type Judged, type Judgment, labelsOf } from './given.ts';
import { type Unqualified, unqualifiedJudges } from './qualify.ts';
import { Tally } from './tally.ts';

interface Outputs {
  rows: TableOutput;
  judgments: TableOutput;
  judges: TableOutput;
}

/** Makes checks, combines what the judges said, and writes the three tables. */
export async function writeVerdicts(
  given: Given,
  outputs: Outputs,
  context: StepContext,
  all: AsyncIterable<{ row: Row; value: Judged }>,
): Promise<StepResult> {
  const tally = new Tally(given);
  const { rows, unqualified } = await qualified(given, all);
  const withoutVote = new Set(unqualified.map(({ judge }) => judge));
  const { params, env } = context;
  const check = await openChecks(given.checks, answerFields(given)[0]!, { params, env });
  const failedChecks = new Map<string, number>();
  let passed = 0;
  for await (const { row, value } of rows) {
    const findings = value.judgments.map((judgment) => findingOf(given, judgment));
    const panel = panelFinding(given, value, withoutVote);
    tally.add(
      value.judgments,
      findings,
      panel,
      answerFields(given).map((field) => lengthOf(row[field] ?? null)),
    );
    const checks = check(row);
    for (const [name, wrong] of Object.entries(checks))
      if (wrong !== null) failedChecks.set(name, (failedChecks.get(name) ?? 0) + 1);
    const passes = passesOf(given, panel, checks);
    if (passes) passed++;
    await outputs.rows.write(rowOf(given, row, { panel, findings, judged: value, checks, passes }));
    for (const judgment of judgmentRows(given, row, value.judgments)) await outputs.judgments.write(judgment);
  }
  const labels = labelsOf(given);
  for (const judge of tally.judges) {
    const row = judge.row(given, labels);
    await outputs.judges.write(
      given.min_consistency === undefined ? row : { ...row, has_vote: !withoutVote.has(judge.judge) },
    );
    for (const warning of judge.warnings) context.warn(warning);
  }
  for (const { judge, reason } of unqualified) context.warn(`${judge} has no vote: ${reason}`);
  for (const [name, count] of failedChecks)
    context.log(`check ${name} failed on ${count} of ${tally.rows} rows`);
  return { metrics: metricsOf(given, tally, passed) };
}

interface Qualified {
  rows: AsyncIterable<{ row: Row; value: Judged }> | { row: Row; value: Judged }[];
  unqualified: Unqualified[];
}

/** The rows, and the judges that have no vote; all have one unless `min_consistency` says what it takes. */
async function qualified(given: Given, all: AsyncIterable<{ row: Row; value: Judged }>): Promise<Qualified> {
  const { min_consistency: least } = given;
  if (least === undefined) return { rows: all, unqualified: [] };
  const rows = await Array.fromAsync(all);
  const unqualified = unqualifiedJudges(given, rows, least);
  if (rows.length > 0 && unqualified.length === given.judges.length)
    throw new StepError(
      'no-judge',
      `no judge has a vote: ${unqualified.map(({ judge, reason }) => `${judge}: ${reason}`).join('; ')}`,
      'take other judges, or a lower min_consistency',
    );
  return { rows, unqualified };
}

/** Null if there is nothing that a row could fail. */
function passesOf(
  { threshold, checks: made }: Given,
  { score }: Finding,
  checks: CheckResults,
): boolean | null {
  if (threshold === undefined && made.length === 0) return null;
  const holds = Object.values(checks).every((wrong) => wrong === null);
  return holds && (threshold === undefined || (score !== null && score >= significant(threshold)));
}

interface Results {
  panel: Finding;
  findings: readonly (Finding | null)[];
  judged: Judged;
  checks: CheckResults;
  passes: boolean | null;
}

function rowOf(given: Given, row: Row, { panel, findings, judged, checks, passes }: Results): Row {
  const { field, judges, criteria } = given;
  const main = field ?? (given.mode === 'score' ? 'score' : 'winner');
  const named = (name: string) => (field === undefined ? name : `${field}_${name}`);
  const labels = labelsOf(given);
  const shown = ({ winner, score }: Finding): Json => (winner === null ? score : labels[winner]);
  const added: JsonObject = {};
  if (judges.length > 0) {
    added[main] = shown(panel);
    if (criteria.length > 0) added[named('scores')] = panel.scores;
    added[named('reason')] = reasonOf(judged.judgments);
    if (judges.length > 1)
      for (const [index, judge] of judges.entries()) {
        const finding = findings[index] ?? null;
        added[`${main}_${judge}`] = finding && shown(finding);
      }
  }
  if (given.checks.length > 0) {
    const wrong = Object.entries(checks).filter(([, reason]) => reason !== null);
    added[named('checks')] = Object.fromEntries(
      Object.entries(checks).map(([name, reason]) => [name, reason === null]),
    );
    added[named('failed_checks')] = wrong.map(([name, reason]) => `${name}: ${reason}`);
  }
  if (passes !== null) added[named('passed')] = passes;
  return { ...row, ...added };
}

/** The first reason of each judge; of a single judge without its name. */
function reasonOf(judgments: readonly Judgment[]): string {
  const reasons = judgments.map(
    ({ judge, verdicts, failure }) => [judge, failure ?? verdicts[0]!.reason] as const,
  );
  return reasons.length === 1
    ? reasons[0]![1]
    : reasons.map(([judge, reason]) => `${judge}: ${reason}`).join('\n\n');
}

/** A row for each verdict, as it was given; one for each judge that has none. */
function judgmentRows(given: Given, row: Row, judgments: readonly Judgment[]): Row[] {
  const labels = labelsOf(given);
  const own = criteriaOf(given);
  const rows = judgments.flatMap(({ judge, verdicts, failure }): JsonObject[] =>
    failure === null
      ? verdicts.map(({ order, sample, look, winner, scores, said, reason }) => ({
          judge,
          ...(order === null ? {} : { order }),
          sample: sample + 1,
          ...(given.second_look && { look }),
          ...(winner === null ? scoreFields(own, scores!) : { winner: labels[winner] }),
          ...(said !== undefined && { said: said && overallScore(own, said) }),
          reason,
          failure: null,
        }))
      : [{ judge, failure }],
  );
  return rows.map((fields, index) => ({
    ...row,
    ...fields,
    id: `${row.id}#${index + 1}`,
    parent_id: row.id,
  }));
}

function scoreFields(
  criteria: ReturnType<typeof criteriaOf>,
  scores: { [name: string]: number },
): JsonObject {
  const score = overallScore(criteria, scores);
  return criteria.length === 1 && criteria[0]!.name === 'score' ? { score } : { score, scores };
}

function metricsOf(given: Given, tally: Tally, passed: number): Metrics {
  const { rows, outcomes, judges, alpha } = tally;
  const mayFail = given.threshold !== undefined || given.checks.length > 0;
  const metrics: { [name: string]: number | null } = { rows };
  if (rows > 0 && judges.length > 0) {
    if (given.mode === 'score') metrics['mean_score'] = tally.meanScore;
    else {
      Object.assign(metrics, {
        first_wins: outcomes.first,
        second_wins: outcomes.second,
        ties: outcomes.tie,
      });
      // Of a row whose judges have no vote nobody knows who wins.
      const decided = outcomes.first + outcomes.second + outcomes.tie;
      if (decided > 0) metrics['win_rate'] = significant((outcomes.first + outcomes.tie / 2) / decided);
    }
    metrics['alpha'] = alpha;
    const [only] = judges;
    if (judges.length === 1) {
      if (given.mode === 'pairwise') {
        metrics['consistency'] = only!.consistency;
        metrics['position_bias'] = only!.positionBias;
        metrics['longer_share'] = only!.longerShare;
      } else metrics['length_correlation'] = only!.lengthCorrelation;
    }
  }
  if (mayFail && rows > 0) Object.assign(metrics, { passed, pass_rate: significant(passed / rows) });
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => value !== null)) as Metrics;
}

/** In characters: what a judge may take for quality. */
function lengthOf(value: Json): number {
  return typeof value === 'string' ? value.length : JSON.stringify(value).length;
}
