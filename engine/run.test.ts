import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createModelResolver } from '../models/resolver.ts';
import { createStepRegistry } from '../steps/registry.ts';
import { temporaryFolder } from '../test/temporary.ts';
import type { RunEvent } from './events.ts';
import { Redaction } from './record/redaction.ts';
import { runWorkflow } from './run.ts';
import { compileWorkflow } from './workflow/compile.ts';
import { openWorkspace } from './workspace.ts';

const secret = 'hunter2-and-more';

const workflow = `name: talkative
env: [REPRISE_TEST_TOKEN]
steps:
  said:
    use: exec
    with:
      run: 'echo "the token is $REPRISE_TEST_TOKEN" >&2; echo "{\\"id\\":\\"a\\",\\"text\\":\\"b\\"}" > out.jsonl'
      deps: [notes.txt]
      outputs: { rows: out.jsonl }
  refused:
    use: exec
    on_error: continue
    with: { run: 'echo "$REPRISE_TEST_TOKEN is wrong" >&2; exit 1', outputs: { rows: out.jsonl } }
`;

/** Files under a folder in whose bytes a text stands. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}

it('keeps a secret out of all that it writes and tells of: records, events, errors, patches, pinned files', async () => {
  const root = temporaryFolder();
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, stdio: 'pipe' });
  git('init', '-q');
  writeFileSync(join(root, 'w.yaml'), workflow);
  writeFileSync(join(root, 'notes.txt'), 'nothing\n');
  writeFileSync(join(root, 'reprise.yaml'), '');
  git('add', '.');
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'first');
  writeFileSync(join(root, 'notes.txt'), `do not tell: ${secret}\n`);
  process.env['REPRISE_TEST_TOKEN'] = secret;
  onTestFinished(() => void delete process.env['REPRISE_TEST_TOKEN']);

  const parts = { root, registry: createStepRegistry(root), models: createModelResolver({ root }) };
  const workspace = openWorkspace({ ...parts, storeFolder: join(root, '.reprise'), onDamage: () => {} });
  const compiled = await compileWorkflow(
    { file: 'w.yaml', cwd: root, env: process.env as Record<string, string> },
    { ...parts, cache: workspace.caches.texts },
  );
  expect(compiled.problems).toEqual([]);
  const events: RunEvent[] = [];
  const { record } = await runWorkflow({
    workflow: compiled.workflow!,
    workspace,
    runsFolder: join(root, 'runs'),
    command: ['run', 'w.yaml', '--param', `key=${secret}`],
    engineVersion: '0.0.0',
    signal: new AbortController().signal,
    redaction: new Redaction([secret]),
    listeners: [(event) => events.push(event)],
    now: Date.now,
    productsOfRun: () => undefined,
  });
  await workspace.close();

  expect(record.status).toBe('succeeded');
  expect(record.command.at(-1)).toBe('key=[secret]');
  expect(record.git?.patch?.redacted).toBe(true);
  expect(record.steps[1]!.error?.message).toContain('[secret] is wrong');
  expect(record.files).toMatchObject([{ path: 'notes.txt', pinned: false }]);
  expect(record.warnings).toContain('notes.txt contains a secret: the record has its digest, not its bytes');
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'step-log', message: 'the token is [secret]' }),
  );
  expect(JSON.stringify([record, events])).not.toContain(secret);
  // What is looked for would be found where it is.
  expect(filesWith(root, secret)).toEqual([join(root, 'notes.txt')]);
  expect(filesWith(join(root, 'runs'), '[secret]').length).toBeGreaterThan(0);
});
