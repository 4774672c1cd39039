import { join } from 'node:path';
import { loadCel } from '../engine/cel.ts';
import type { RunRecord } from '../engine/record/record.ts';
import { Redaction } from '../engine/record/redaction.ts';
import { filledIn, readSecrets, type Secrets } from '../engine/secrets.ts';
import type { Hook, ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import { runProgram } from '../steps/exec/program.ts';
import type { Cli } from './command.ts';
import { postJson, timeLimit } from './post-json.ts';
import { runSummary } from './run-summary.ts';

/** A run that is over, and what its hooks are told of it. */
interface Finished {
  workflow: ResolvedWorkflow;
  record: RunRecord;
  /** The run's folder: absolute path. */
  folder: string;
  /** A watch made the run. */
  watch: boolean;
  /** Ends the hooks. */
  signal?: AbortSignal;
}

/** Does what `on_finish` says, one hook after the other. One that fails is a warning, and changes nothing else. */
export async function runHooks(finished: Finished, cli: Cli): Promise<void> {
  const { workflow } = finished;
  const secrets = readSecrets(workflow, cli.env);
  const redaction = new Redaction(Object.values(secrets));
  for (const [index, hook] of (workflow.on_finish ?? []).entries()) {
    try {
      if (!(await applies(hook, finished))) continue;
      if (hook.run !== undefined) await runHook(hook, hook.run, finished, secrets, redaction, cli);
      else await call(hook, finished, secrets);
    } catch (error) {
      const what = hook.run === undefined ? 'webhook' : 'program';
      const message = redaction.text((error as Error).message);
      cli.err(
        `${cli.paint('yellow', 'warning')} on_finish: hook ${index + 1} (${hook.place.file}:${hook.place.line}), a ${what}: ${message}\n`,
      );
    }
  }
}

async function applies({ when }: Hook, { workflow, record, watch }: Finished): Promise<boolean> {
  if (when === null) return true;
  const program = (await loadCel())(when.source);
  return program.test({
    status: record.status,
    duration_ms: record.duration_ms ?? 0,
    watch,
    params: record.params,
    run: { name: workflow.name, seed: workflow.seed },
    env: {},
    steps: Object.fromEntries(record.steps.map(({ id, metrics }) => [id, { metrics }])),
  });
}

/** A program sees the environment of the call, as any program that a user starts. What it prints goes to stderr. */
async function runHook(
  { env = {}, timeout_ms: limit }: Hook,
  run: string | string[],
  { workflow, record, folder, signal: stop }: Finished,
  secrets: Secrets,
  redaction: Redaction,
  cli: Cli,
): Promise<void> {
  const said = Object.entries(env).map(([name, text]) => [name, filledIn(text, secrets)]);
  const { code, signal } = await runProgram({
    run,
    cwd: workflow.root,
    env: {
      ...(cli.env as Record<string, string>),
      ...Object.fromEntries(said),
      REPRISE_RUN: join(folder, 'run.json'),
      REPRISE_RUN_ID: record.id,
      REPRISE_STATUS: record.status,
    },
    signal: AbortSignal.any([timeLimit(limit), ...(stop ? [stop] : [])]),
    onLines: (lines) => cli.err(lines.map((line) => `  ${redaction.text(line)}\n`).join('')),
  });
  if (code !== 0) throw new Error(code === null ? `${signal} ended it` : `it ended with exit code ${code}`);
}

async function call(
  { webhook = '', headers = {}, timeout_ms: limit }: Hook,
  { record, workflow, signal }: Finished,
  secrets: Secrets,
): Promise<void> {
  const response = await postJson(filledIn(webhook, secrets), {
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, filledIn(text, secrets)]),
    ),
    body: { workflow: workflow.name, ...runSummary(record) },
    timeoutMs: limit,
    ...(signal && { signal }),
  });
  await response.body?.cancel();
}
