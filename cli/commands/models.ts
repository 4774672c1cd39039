import { builtInEncoders } from '../../models/catalogue.ts';
import type { Command } from '../command.ts';
import { columns } from '../format.ts';

export const command: Command = {
  name: 'models',
  summary: 'the models that come with the product',
  commands: [
    {
      name: 'list',
      summary: 'name, dimensions, longest text, languages, licence',
      options: [{ flags: '--json', description: 'as JSON on stdout' }],
      examples: [{ line: 'reprise models list', does: 'what `embed` can use' }],
      async run(_, options, cli) {
        if (options['json']) cli.out(`${JSON.stringify({ models: builtInEncoders })}\n`);
        else {
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
        }
        return 0;
      },
    },
  ],
  default: 'list',
  examples: [{ line: 'reprise models', does: 'what `embed` can use' }],
};
