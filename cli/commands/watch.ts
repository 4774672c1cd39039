import { findProject } from '../../engine/project.ts';
import type { WatchEvent } from '../../engine/watch/events.ts';
import { Watch } from '../../engine/watch/session.ts';
import type { Command } from '../command.ts';
import { paramOption } from '../param-option.ts';
import { profileOption } from '../profile-option.ts';
import { folderOf } from '../project.ts';
import { watchReporter } from '../reporters/watch.ts';
import { hearKeys, keysLine } from '../watch/keys.ts';
import { openPage } from '../watch/open-page.ts';
import { ProcessRunner } from '../watch/process-runner.ts';

export const command: Command = {
  name: 'watch',
  summary: 'run a workflow, then run again what a saved file changed',
  description:
    'Runs a workflow, and again whenever the bytes of a file that it hangs on change: its YAML and what that includes, data, prompts, step files and what they import, `.env` and `reprise.yaml`. Only the steps that the change concerns run. A change during a run stops the steps that it makes stale; what is done stays done, and what it does not concern goes on. What runs write themselves never counts. A step that failed is tried again when something that it depends on has changed. A file with problems shows them, and the last version without stays watched. On a terminal: `r` runs again, `f` forces all steps, `p` shows the plan, `o` opens the report, `q` quits.',
  arguments: [{ name: '<file>', description: 'the workflow' }],
  options: [
    paramOption,
    profileOption,
    { flags: '--only <step>', description: 'do this step and what it needs (may be repeated)', repeat: true },
    { flags: '--keep-going', description: 'after a failure, go on with what does not depend on it' },
    { flags: '--jobs <n>', description: 'steps at once (default: one for each core)', atLeast: 1 },
    { flags: '--json', description: 'every event as a line of JSON on stdout' },
  ],
  examples: [
    { line: 'reprise watch workflows/support-topics.yaml', does: 'work on it, and see what every save does' },
    { line: 'reprise watch pipeline.yaml --only topics --json', does: 'for a program that watches along' },
  ],
  async run([file], options, cli) {
    const call = {
      file: file as string,
      params: options['param'] as string[],
      profiles: options['profile'] as string[],
      only: options['only'] as string[],
      keepGoing: options['keepGoing'] === true,
      jobs: typeof options['jobs'] === 'number' ? options['jobs'] : null,
      command: process.argv.slice(2),
    };
    const terminal = process.stdin.isTTY === true && cli.terminal.err && !options['json'];
    const report = options['json']
      ? (event: WatchEvent) => cli.out(`${JSON.stringify(event)}\n`)
      : watchReporter(cli, terminal ? keysLine : '');
    let page: string | undefined;
    const watch = new Watch({
      runner: new ProcessRunner(call, cli.cwd),
      root: findProject(folderOf(call.file, cli)).root,
      listener(event) {
        if (event.type === 'attempt-ended' && event.pages.length > 0) page = event.pages[0];
        report(event);
      },
      now: Date.now,
    });
    let code = 130;
    cli.signal.addEventListener('abort', () => watch.quit(), { once: true });
    const endKeys = terminal
      ? hearKeys(process.stdin, {
          run: () => watch.ask('run'),
          force: () => watch.ask('force'),
          plan: () => watch.ask('plan'),
          open() {
            if (page) openPage(page, (message) => cli.err(`${message}\n`));
            else cli.err('no run of this watch has left a report\n');
          },
          quit() {
            code = 0;
            watch.quit();
          },
          interrupt: () => watch.quit(),
        })
      : () => {};
    try {
      await watch.run();
    } finally {
      endKeys();
    }
    return code;
  },
};
