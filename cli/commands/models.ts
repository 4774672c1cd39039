import { builtInEncoders } from '../../models/catalogue.ts';
import type { Command } from '../command.ts';
import { columns } from '../format.ts';
import type { Preference } from '../model-selection.ts';
import { folderOf, readWorkflowFile, withProject } from '../project.ts';
import { batches } from './model-batches.ts';

export const command: Command = {
  name: 'models',
  summary:
    'encoders that come with the product, prices of language models, the models of a workflow, and batches at providers',
  commands: [
    {
      name: 'list',
      summary: 'encoders and prices or, with a file, the language models that the workflow names',
      arguments: [{ name: '[file]', description: 'a workflow' }],
      options: [{ flags: '--json', description: 'as JSON on stdout' }],
      examples: [
        { line: 'reprise models list', does: 'what `embed` can use, and prices of language models' },
        {
          line: 'reprise models list pipeline.yaml',
          does: 'the language models of a workflow, their prices, and whether their keys are set',
        },
      ],
      async run([file], options, cli) {
        const { aliasTable, listedAliases, priceTable } = await import('../language-model-list.ts');
        const { readCatalogue } = await import('../price-catalogue.ts');
        if (typeof file === 'string')
          return withProject(cli, folderOf(file, cli), async (project) => {
            const aliases = listedAliases(
              await readWorkflowFile(file, [], project, cli),
              readCatalogue(project.workspace),
            );
            cli.out(options['json'] ? `${JSON.stringify({ models: aliases })}\n` : aliasTable(aliases, cli));
            return 0;
          });
        const catalogue = await withProject(cli, cli.cwd, async ({ workspace }) => readCatalogue(workspace));
        if (options['json']) {
          cli.out(`${JSON.stringify({ models: builtInEncoders, prices: catalogue.all })}\n`);
          return 0;
        }
        const head = ['name', 'dimensions', 'max tokens', 'languages', 'licence'].map((text) =>
          cli.paint('bold', text),
        );
        const rows = builtInEncoders.map(({ name, dimensions, maxTokens, languages, licence }) => [
          name,
          String(dimensions),
          String(maxTokens),
          languages.join(' '),
          licence,
        ]);
        cli.out(columns([head, ...rows]));
        cli.err(
          'a folder of a sentence-transformers model with an ONNX file works as well: with: { model: ./my-model }\n',
        );
        cli.out(`\n${priceTable(catalogue, cli)}`);
        cli.err('US dollars for a million tokens; a model of a workflow may give its own price\n');
        return 0;
      },
    },
    {
      name: 'pull',
      summary: 'download the files of local models of a workflow',
      description:
        'Downloads what models of `provider: local` have a `url` for and is not there yet. A download that breaks off goes on where it was, also in a later call; the file gets its name when it is whole and has its `sha256`, if the alias says one. No key is sent. Exit code 1 if a file is not there in the end.',
      arguments: [
        { name: '<file>', description: 'a workflow' },
        { name: '[alias...]', description: 'models; all if none is named' },
      ],
      options: [{ flags: '--json', description: 'as JSON on stdout' }],
      examples: [{ line: 'reprise models pull pipeline.yaml', does: 'what the workflow needs to run here' }],
      async run([file, aliases = []], options, cli) {
        const { pulledTable, pullModels } = await import('../pull-models.ts');
        return withProject(cli, folderOf(file as string, cli), async (project) => {
          const workflow = await readWorkflowFile(file as string, [], project, cli);
          const { leases } = project.workspace;
          const pulled = await pullModels(workflow, aliases as string[], leases, cli);
          if (options['json']) cli.out(`${JSON.stringify({ models: pulled })}\n`);
          else cli.out(pulled.length === 0 ? 'no local model has a url\n' : pulledTable(pulled, cli));
          return pulled.some(({ state }) => state === 'failed') ? 1 : 0;
        });
      },
    },
    {
      name: 'test',
      summary: 'ask each language model of a workflow one short question',
      description:
        'Says of each model whether it answers, how fast, under which name, and what that cost; or what is wrong. The answers are not kept. Exit code 1 if one of them does not answer.',
      arguments: [{ name: '<file>', description: 'a workflow' }],
      options: [{ flags: '--json', description: 'as JSON on stdout' }],
      examples: [{ line: 'reprise models test pipeline.yaml', does: 'are keys, names and addresses right?' }],
      async run([file], options, cli) {
        const { testModels, testTable } = await import('../model-test.ts');
        return withProject(cli, folderOf(file as string, cli), async (project) => {
          const workflow = await readWorkflowFile(file as string, [], project, cli);
          const tested = await testModels(workflow, project.workspace, cli.signal);
          if (options['json']) cli.out(`${JSON.stringify({ models: tested })}\n`);
          else
            cli.out(tested.length === 0 ? 'the workflow names no language model\n' : testTable(tested, cli));
          return tested.every(({ error }) => error === null) ? 0 : 1;
        });
      },
    },
    {
      name: 'select',
      summary: 'recommend a model of a workflow for a use case',
      description:
        'A model of the workflow reads from the description what the task needs (lengths, requests, what counts most); then the language models of the workflow are ranked by it: whether it fits into their context, whether they take its pictures, what it would cost, and the scores and latencies that a route of the workflow has for them. Each is listed with what the task wants and what it has. The answer is kept: the same description gives the same choice. Exit code 1 if no model fits.',
      arguments: [
        { name: '<file>', description: 'a workflow' },
        { name: '<use_case>', description: 'a text that describes the task, such as USE-CASE.md' },
      ],
      options: [
        {
          flags: '--model <alias>',
          description: 'who reads the description; the first model of the workflow',
        },
        {
          flags: '--prefer <what>',
          description: 'what counts most, instead of what the description says',
          choices: ['quality', 'cost', 'speed'],
        },
        { flags: '--json', description: 'as JSON on stdout' },
      ],
      examples: [
        {
          line: 'reprise models select pipeline.yaml USE-CASE.md --model writer',
          does: 'which model is enough?',
        },
      ],
      async run([file, useCase], options, cli) {
        const { readUseCase, selectionTable, selectModel } = await import('../model-selection.ts');
        return withProject(cli, folderOf(file as string, cli), async ({ workspace, ...project }) => {
          const workflow = await readWorkflowFile(file as string, [], { workspace, ...project }, cli);
          // One question, of which the answer is wanted now: no batch.
          if (workspace.languageModels !== null)
            (await import('../language-models.ts')).openLanguageModels(workflow, workspace, { live: true });
          const selected = await selectModel(workflow, {
            workspace,
            reader: (options['model'] as string | undefined) ?? workspace.languageModels?.names[0] ?? '',
            useCase: readUseCase(useCase as string, cli),
            prefer: options['prefer'] as Preference | undefined,
            signal: cli.signal,
          });
          cli.out(options['json'] ? `${JSON.stringify(selected)}\n` : selectionTable(selected, cli));
          return selected.candidates[0]?.rejected === null ? 0 : 1;
        });
      },
    },
    {
      name: 'refresh',
      summary: 'fetch prices and sizes of hosted models',
      description: `Fetches the list that LiteLLM keeps (MIT), or another in its format, and keeps it in the store: its prices go before those
that come with the product. A list of the last 24 hours is not fetched again.`,
      options: [
        { flags: '--from <source>', description: 'the address of another list, or a file' },
        { flags: '--force', description: 'also if the last list is younger than 24 hours' },
        { flags: '--json', description: 'as JSON on stdout' },
      ],
      examples: [
        { line: 'reprise models refresh', does: 'current prices' },
        { line: 'reprise models refresh --from prices.json', does: 'from a file, without a network' },
      ],
      async run(_, options, cli) {
        const { refreshPrices } = await import('../refresh-prices.ts');
        return withProject(cli, cli.cwd, async ({ workspace }) => {
          const from = options['from'] as string | undefined;
          const done = await refreshPrices(workspace, cli, { from, force: options['force'] === true });
          if (options['json']) cli.out(`${JSON.stringify(done)}\n`);
          else
            cli.out(
              done.refreshed
                ? `${done.models} models of ${done.source}\n`
                : `the prices are of ${done.fetched}: --force fetches them again\n`,
            );
          return 0;
        });
      },
    },
    batches,
  ],
  default: 'list',
  examples: [{ line: 'reprise models', does: 'what `embed` can use, and prices of language models' }],
};
