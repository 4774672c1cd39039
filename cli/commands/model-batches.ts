import { ProblemError } from '../../engine/problems.ts';
import type { Command } from '../command.ts';
import { columns, count } from '../format.ts';
import { withProject } from '../project.ts';
import { json } from './runs/words.ts';

export const batches: Command = {
  name: 'batches',
  summary: 'batches of requests that are at a provider, and to forget one',
  description:
    'Lists the batches that are noted in the store: the next run that needs their answers takes them up. A batch that its provider does not know (any more) stands in the way of its requests: forgotten, they are asked, and paid for, anew. Nothing is asked of the provider.',
  options: [
    {
      flags: '--forget <batch>',
      description: 'the batch of this name, whose requests the next run asks anew',
    },
    json,
  ],
  examples: [
    { line: 'reprise models batches', does: 'what is under way' },
    { line: 'reprise models batches --forget batch_abc123', does: 'ask for these again, at their price' },
  ],
  async run(_, options, cli) {
    return withProject(cli, cli.cwd, async ({ workspace }) => {
      const log = workspace.caches.batches;
      const name = options['forget'] as string | undefined;
      if (name !== undefined) {
        if (!log.forget(name))
          throw ProblemError.of('unknown-batch', `no batch "${name}" is noted`, {
            hint: 'reprise models batches lists those that are',
          });
        if (options['json']) cli.out(`${JSON.stringify({ forgotten: name })}\n`);
        else cli.out(`forgot ${name}: the next run asks its requests anew\n`);
        return 0;
      }
      const noted = log.all().map(({ token, model, id, requests, since }) => ({
        // What the provider calls it may not be known yet.
        batch: id ?? token,
        model,
        requests,
        submitted: new Date(since).toISOString(),
        fetched: !log.isOpen(token),
      }));
      if (options['json']) cli.out(`${JSON.stringify({ batches: noted })}\n`);
      else if (noted.length === 0) cli.out('no batch is under way\n');
      else {
        const head = ['batch', 'model', 'requests', 'submitted'].map((text) => cli.paint('bold', text));
        const rows = noted.map(({ batch, model, requests, submitted, fetched }) => [
          batch,
          model,
          count(requests),
          `${submitted}${fetched ? ', fetched' : ''}`,
        ]);
        cli.out(columns([head, ...rows]));
      }
      return 0;
    });
  },
};
