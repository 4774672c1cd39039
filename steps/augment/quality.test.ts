import { expect, it } from 'vitest';
import { askedModels } from '../../test/asked-models.ts';
import { ModelServer, type SeenRequest } from '../../test/model-server.ts';
import { runStep } from '../../test/run-step.ts';
import augment from './index.ts';
import { sameKey } from './similarity.ts';

const things = { cards: 'card', loans: 'loan', fees: 'fee' } as const;
type Team = keyof typeof things;
const teams = Object.keys(things) as Team[];
const rows = Array.from({ length: 90 }, (_, index) => {
  const team = teams[index % 3]!;
  return { id: `r${index}`, text: `Where is my ${things[team]} number ${index} by now?`, team };
});

/** What the server knows to be the class of a text. */
const truthOf = (text: string) => teams.find((team) => text.includes(things[team]));

/** Rewords; every sixth text is of another class then, every seventh as it was, every ninth as that of another row. */
function reply({ prompt, body }: SeenRequest): string {
  const told = (body['messages'] as { content: string }[])[0]!.content;
  const number = Number(/\d+/.exec(prompt)?.[0]);
  const asked = /belong to the class "(\w+)"\?/.exec(told)?.[1];
  if (asked !== undefined) {
    // One who checks is wrong now and then.
    const belongs = truthOf(prompt) === asked || number % 30 === 0;
    return JSON.stringify({ reason: `it is about ${truthOf(prompt)}`, belongs });
  }
  if (told.startsWith('Translate the text into German')) return `Wo ist ${prompt.slice(12)}`;
  if (told.startsWith('Translate')) return `Could you tell me where it is: ${prompt.slice(7)}`;
  if (number % 7 === 0) return prompt.toUpperCase();
  if (number % 9 === 0) return rows[(number + 3) % 90]!.text;
  const own = truthOf(prompt)!;
  const team = number % 6 === 0 ? teams[(teams.indexOf(own) + 1) % 3]! : own;
  return `I have been waiting for the ${things[team]} with the number ${number}`;
}

it('what is left of variants by a server has its label, nineteen of twenty at least, and none of them twice', async () => {
  await using server = await ModelServer.start({ reply });
  const { tables, metrics } = await runStep(augment, {
    with: {
      methods: ['paraphrase', 'back_translation'],
      model: 'writer',
      label: 'team',
      label_check: { model: 'checker' },
    },
    inputs: { rows },
    languageModels: askedModels(server, ['writer', 'checker']),
  });
  const [kept, rejected] = [tables['rows']!, tables['rejected']!];
  const wrong = kept.filter(({ text, team }) => truthOf(String(text)) !== team);
  expect(wrong.length).toBeGreaterThan(0);
  expect(wrong.length / kept.length).toBeLessThanOrEqual(0.05);
  const keys = [...rows, ...kept].map(({ text }) => sameKey(String(text)));
  expect(new Set(keys).size).toBe(keys.length);
  const reasons = (start: string) => rejected.filter(({ reason }) => String(reason).startsWith(start)).length;
  expect(reasons('duplicate')).toBeGreaterThan(20);
  expect(reasons('label')).toBeGreaterThan(5);
  expect(kept.length + rejected.length).toBe(180);
  expect(metrics).toMatchObject({ variants: kept.length, rejected: rejected.length });
  // There and back: two requests to the server for each row.
  const translated = server.requests.filter(({ body }) =>
    JSON.stringify(body).includes('Translate the text'),
  );
  expect(translated).toHaveLength(180);
  expect(kept.filter(({ pivot }) => pivot === 'de')).toHaveLength(90);
});
