import { expect, it } from 'vitest';
import { listeningServer } from '../listening-server.ts';
import { TestProject } from '../project.ts';

const look = `
const { readFileSync, writeFileSync } = require('node:fs');
const record = JSON.parse(readFileSync(process.env.REPRISE_RUN, 'utf8'));
writeFileSync(process.argv[1], [record.id === process.env.REPRISE_RUN_ID, record.status, process.env.REPRISE_STATUS, process.env.CHANNEL].join(' '));
console.log('seen with ' + process.env.CHANNEL);
`;

it('does what on_finish says when the run is recorded; what fails there is a warning', async () => {
  using server = await listeningServer({ status: 200 });
  using broken = await listeningServer({ status: 500 });
  using p = new TestProject({
    '.env': 'HOOK_PATH=very-secret-path\nHOOK_TOKEN=very-secret-token\n',
    'look.cjs': look,
    'w.yaml': `
name: watched
params: { port: { type: integer }, limit: { type: integer, default: 5 }, code: { type: integer, default: 0 } }
steps:
  rows: { use: exec, with: { run: [node, -e, "process.exit(\${{ params.code }})"] } }
on_finish:
  - run: [node, -e, "require('./look.cjs')", always.txt]
    env: { CHANNEL: "#\${{ secrets.HOOK_TOKEN }}" }
  - { run: 'node look.cjs; echo never', when: "status == 'failed' && params.limit > 90" }
  - { run: [node, -e, "process.exit(7)"], when: "status == 'failed'" }
  - webhook: "http://127.0.0.1:\${{ params.port }}/\${{ secrets.HOOK_PATH }}?run=1"
    headers: { authorization: "Bearer \${{ secrets.HOOK_TOKEN }}" }
  - { webhook: "http://127.0.0.1:${broken.port}/\${{ secrets.HOOK_PATH }}", when: "status == 'failed'" }
  - { webhook: "http://127.0.0.1:1/\${{ secrets.HOOK_PATH }}", when: "duration_ms >= 0 && status == 'succeeded'" }
  - { run: [./no-such-program], when: "status == 'succeeded'" }
  - { run: [node, -e, "setInterval(() => {}, 1000)"], timeout: 300ms, when: "status == 'succeeded'" }
`,
  });
  const port = `port=${server.port}`;
  const good = await p.run('w.yaml', '--param', port);
  expect(good).toMatchObject({ code: 0, status: 'succeeded' });
  // The program's first argument is what stands behind -e.
  expect(p.read('always.txt')).toBe('true succeeded succeeded #very-secret-token');
  expect(server.calls).toMatchObject([
    {
      url: '/very-secret-path?run=1',
      headers: { authorization: 'Bearer very-secret-token', 'content-type': 'application/json' },
      body: {
        workflow: 'watched',
        run: good.run,
        status: 'succeeded',
        steps: [{ id: 'rows', status: 'ran' }],
      },
    },
  ]);
  expect(good.err).toContain('  seen with #[secret]\n');
  expect(good.err).toMatch(/on_finish: hook 6 \(w\.yaml:14\), a webhook: it cannot be reached: /);
  expect(good.err).toMatch(/on_finish: hook 7 \(w\.yaml:15\), a program: .*ENOENT/);
  expect(good.err).toContain('on_finish: hook 8 (w.yaml:16), a program: it took longer than 0.3 s');

  const bad = await p.run('w.yaml', '--param', port, '--param', 'code=3');
  expect(bad).toMatchObject({ code: 1, status: 'failed' });
  expect(p.read('always.txt')).toBe('true failed failed #very-secret-token');
  expect(bad.err).toContain('on_finish: hook 3 (w.yaml:10), a program: it ended with exit code 7');
  expect(bad.err).toContain(
    'on_finish: hook 5 (w.yaml:13), a webhook: it answered 500 Internal Server Error',
  );
  expect(broken.calls).toHaveLength(1);
  expect(server.calls.at(-1)!.body).toMatchObject({
    status: 'failed',
    steps: [{ id: 'rows', status: 'failed' }],
  });
  expect(good.err + bad.err + JSON.stringify([good, bad])).not.toContain('very-secret');

  // Only a run has hooks.
  await p.reprise('plan', 'w.yaml', '--param', port);
  expect(server.calls).toHaveLength(2);
});
