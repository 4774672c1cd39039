import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ModelServer, type SeenRequest } from '../model-server.ts';
import { jsonl, type RunSummary, TestProject } from '../project.ts';

/** The folder with recorded answers of real judges, most of which we do not carry along. */
const folder = [
  process.env['REPRISE_DATASETS'],
  resolve(import.meta.dirname, '../../../shared/datasets'),
].find((path) => path !== undefined && existsSync(join(path, 'llmbar/natural_judgments.jsonl')));

const read = <T>(name: string): T[] =>
  readFileSync(join(folder!, name), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);

/** What agreement.json, next to the data, says of the same answers; of LLMBar [given, swapped, same in both, both right]. */
const known = {
  llmbar: {
    'GPT-4/Vanilla': [95, 96, 95, 93],
    'GPT-4/CoT': [94, 95, 91, 90],
    'GPT-4/Swap': [92, 93, 93, 89],
    'ChatGPT/Vanilla': [80, 83, 71, 67],
    'ChatGPT/CoT': [70, 78, 64, 56],
    'ChatGPT/Swap': [69, 77, 62, 54],
    'LLaMA2/Vanilla': [79, 82, 79, 70],
    'LLaMA2/CoT': [72, 79, 67, 59],
    'LLaMA2/Swap': [72, 79, 67, 59],
    'PaLM2/Vanilla': [78, 88, 80, 73],
    'PaLM2/CoT': [69, 77, 64, 55],
    'PaLM2/Swap': [76, 84, 82, 71],
    'Falcon/Vanilla': [71, 77, 52, 50],
    'Falcon/CoT': [49, 65, 14, 14],
    'Falcon/Swap': [49, 65, 14, 14],
  } as Record<string, number[]>,
  /** "Swap" after its second look, as the authors' statistics.json has it. */
  second: {
    'GPT-4/Swap': [94, 95, 97, 93],
    'ChatGPT/Swap': [77, 78, 89, 72],
    'LLaMA2/Swap': [78, 73, 69, 60],
    'PaLM2/Swap': [81, 87, 92, 80],
    'Falcon/Swap': [58, 73, 43, 37],
  } as Record<string, number[]>,
  pandalm: {
    kappas: [0.8187484100737725, 0.8495017547454978, 0.8428246300091791],
    agreements: [0.886, 0.906, 0.9],
    fleiss: 0.8369194579795803,
    alpha: 0.8370281783409272,
    gpt35: { rows: 478, accuracy: 0.6882845188284519, kappa: 0.4655250045026115, failed: 22 },
    pandalm7b: { rows: 500, accuracy: 0.65, kappa: 0.433407583920431, failed: 0 },
    confusion: {
      gpt35: [
        [4, 39, 28],
        [4, 165, 32],
        [7, 39, 160],
      ],
      pandalm7b: [
        [29, 31, 24],
        [25, 143, 39],
        [14, 42, 153],
      ],
    } as Record<string, number[][]>,
  },
};

/** A server that says what was said then, by model and prompt; it counts what is asked, and what was never asked then. */
class RecordedJudges {
  readonly said = new Map<string, string>();
  unknown = 0;
  server!: ModelServer;

  static async start(): Promise<RecordedJudges> {
    const judges = new RecordedJudges();
    judges.server = await ModelServer.start({ reply: (request) => judges.#reply(request) });
    return judges;
  }

  add(model: string, prompt: string, text: string): void {
    this.said.set(`${model}\n${prompt}`, text);
  }

  #reply({ body, prompt }: SeenRequest): string {
    const text = this.said.get(`${body['model'] as string}\n${prompt}`);
    if (text === undefined) this.unknown++;
    return text ?? '';
  }

  alias(model: string): string {
    return `{ provider: openai, base_url: "${this.server.url('openai')}", model: "${model}", retries: 0 }`;
  }
}

const projects: TestProject[] = [];
afterAll(() => {
  for (const project of projects) project[Symbol.dispose]();
});

async function lines(project: TestProject, address: string): Promise<Record<string, unknown>[]> {
  const { out } = await project.reprise('show', 'latest', address, '--head', '100000', '--format', 'jsonl');
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Rows right: accuracy is given with six digits. */
const right = (run: RunSummary, step: string) => {
  const { accuracy, rows } = run.step(step).metrics as { accuracy: number; rows: number };
  return Math.round(accuracy * rows);
};

describe.skipIf(folder === undefined)(
  folder === undefined
    ? 'skipped: set REPRISE_DATASETS to a folder with llmbar, pandalm and mt-bench'
    : 'recorded judges',
  () => {
    it('LLMBar, natural set: five judges, three ways of asking, both orders', async () => {
      interface Pair {
        id: number;
        input: string;
        output_1: string;
        output_2: string;
        label: number;
      }
      interface Said {
        id: number;
        judge: string;
        strategy: string;
        passes: Record<'original_order' | 'swapped_order', { text: string }>[];
      }
      const pairs = read<Pair>('llmbar/natural.jsonl');
      const judges = await RecordedJudges.start();
      await using _ = judges.server;
      const prompt = (id: number, a: string, b: string) =>
        `Pair ${id}\n\n# Instruction:\n${pairs[id]!.input}\n\n# Output (a):\n${a}\n\n# Output (b):\n${b}\n`;
      const names = new Set<string>();
      for (const { id, judge, strategy, passes } of read<Said>('llmbar/natural_judgments.jsonl')) {
        const { output_1, output_2 } = pairs[id]!;
        const [pass, second] = passes;
        names.add(`${judge}/${strategy}`);
        judges.add(`${judge}/${strategy}`, prompt(id, output_1, output_2), pass!.original_order.text);
        judges.add(`${judge}/${strategy}`, prompt(id, output_2, output_1), pass!.swapped_order.text);
        if (second === undefined) continue;
        const again = (a: string, b: string) => `Again ${prompt(id, a, b)}`;
        judges.add(`${judge}/${strategy}`, again(output_1, output_2), second.original_order.text);
        judges.add(`${judge}/${strategy}`, again(output_2, output_1), second.swapped_order.text);
      }
      const alias = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
      // As the authors configured it.
      const line = "{ first: '(?:^|\\n) ?Output \\(a\\)', second: '(?:^|\\n) ?Output \\(b\\)' }";
      const sentence = "{ first: 'Output \\(a\\) is better.', second: 'Output \\(b\\) is better.' }";
      const patterns = (name: string) =>
        name.endsWith('/Vanilla') || name === 'PaLM2/CoT' ? line : sentence;
      const orders = ['both', 'given', 'swapped'];
      const step = (name: string, order: string, more = '') => `
  ${alias(name)}_${order}${more && '_again'}:
    use: judge
    from: pairs
    max_row_failures: 5
    with:
      mode: pairwise
      judges: [${alias(name)}]
      answers: [output_1, output_2]
      labels: [1, 2, 0]
      orders: ${order}
      ties: false
      format: text
      repairs: 0
      patterns: ${patterns(name)}
      prompt: { file: compare.hbs }
${more}
  ${alias(name)}_${order}${more && '_again'}_scores:
    use: evaluate
    from: ${alias(name)}_${order}${more && '_again'}
    with: { task: classification, truth: label, prediction: winner, resamples: 0 }`;
      // All of them asked in the same way, as "Vanilla" is; no answer is new.
      const vanilla = ['GPT-4', 'ChatGPT', 'LLaMA2', 'PaLM2', 'Falcon'].map((judge) => `${judge}/Vanilla`);
      const jury = (name: string, members: string[]) => `
  jury_${name}:
    use: judge
    from: pairs
    max_row_failures: 5
    with:
      mode: pairwise
      judges: [${members.map(alias).join(', ')}]
      combine: vote
      quorum: 3
      answers: [output_1, output_2]
      labels: [1, 2, 0]
      ties: false
      format: text
      repairs: 0
      patterns: ${line}
      prompt: { file: compare.hbs }
  jury_${name}_scores:
    use: evaluate
    from: jury_${name}
    with: { task: agreement, raters: [winner, ${members.map((one) => `winner_${alias(one)}`).join(', ')}], truth: label }`;
      const second = `      second_look: { prompt: { file: again.hbs }, patterns: ${line} }`;
      const swapping = Object.keys(known.second);
      const project = new TestProject({
        'pairs.jsonl': jsonl(pairs.map(({ id, ...pair }) => ({ id: String(id), ...pair }))),
        'compare.hbs':
          'Pair {{id}}\n\n# Instruction:\n{{text}}\n\n# Output (a):\n{{answer_a}}\n\n# Output (b):\n{{answer_b}}\n',
        'again.hbs':
          'Again Pair {{id}}\n\n# Instruction:\n{{text}}\n\n# Output (a):\n{{answer_a}}\n\n# Output (b):\n{{answer_b}}\n',
        'judges.yaml': `
models:
${[...names].map((name) => `  ${alias(name)}: ${judges.alias(name)}`).join('\n')}
steps:
  pairs: { use: load, with: { path: pairs.jsonl, id: id, text: input } }
${[...names].flatMap((name) => orders.map((order) => step(name, order))).join('')}
${swapping.map((name) => step(name, 'both', second)).join('')}
${jury('all', vanilla)}${jury('without_the_best', vanilla.slice(1))}
`,
      });
      projects.push(project);
      const run = await project.run('judges.yaml');
      expect(run.code, run.err).toBe(0);
      expect(judges.unknown).toBe(0);
      // Each answer was asked for once, though two steps need it; only what came to nothing was asked for again.
      const times = new Map<string, number>();
      for (const { body, prompt: words } of judges.server.requests) {
        const key = `${body['model'] as string}\n${words}`;
        times.set(key, (times.get(key) ?? 0) + 1);
      }
      expect(times.size).toBe(3000 + 364);
      for (const [key, count] of times) if (count > 1) expect(judges.said.get(key)!.trim()).toBe('');
      const found: Record<string, number[]> = {};
      for (const name of names) {
        const id = alias(name);
        const both = run.step(`${id}_both`);
        const { rows, consistency } = both.metrics as { rows: number; consistency: number };
        // A row without a verdict has none in both orders, which the authors count as the same.
        const failed = (await lines(project, `${id}_both.failed`)).filter(({ id: row }) =>
          ['original_order', 'swapped_order'].every((order) => isNone(name, Number(row), order)),
        ).length;
        found[name] = [
          right(run, `${id}_given_scores`),
          right(run, `${id}_swapped_scores`),
          Math.round(consistency * rows) + failed,
          right(run, `${id}_both_scores`),
        ];
      }
      expect(found).toEqual(known.llmbar);
      // The figure that the paper prints for GPT-4: the mean of both orders.
      expect((found['GPT-4/Vanilla']![0]! + found['GPT-4/Vanilla']![1]!) / 2).toBe(95.5);

      // A jury that votes, beside its members: kappa with what people say. It is better than its best member where that is not
      // far better than the others.
      for (const [name, of] of Object.entries({ all: 0.84127, without_the_best: 0.729312 })) {
        const [own, ...members] = (await lines(project, `jury_${name}_scores`))
          .filter(({ other }) => other === 'label')
          .map(({ kappa }) => kappa as number);
        expect(own).toBe(of);
        if (name === 'all') expect(Math.max(...members)).toBe(0.863548);
        else expect(Math.max(...members)).toBe(0.565757);
      }

      const after: Record<string, number[]> = {};
      for (const name of swapping) {
        const id = `${alias(name)}_both_again`;
        const verdicts = await lines(project, `${id}.judgments`);
        const count = (order: string) =>
          verdicts.filter((row) => row['order'] === order && row['winner'] === row['label']).length;
        const { rows, consistency } = run.step(id).metrics as { rows: number; consistency: number };
        const failed = (await lines(project, `${id}.failed`)).filter(({ id: row }) =>
          ['original_order', 'swapped_order'].every((order) => isNone(name, Number(row), order)),
        ).length;
        after[name] = [
          count('given'),
          count('swapped'),
          Math.round(consistency * rows) + failed,
          right(run, `${id}_scores`),
        ];
      }
      expect(after).toEqual(known.second);

      const asked = judges.server.requests.length;
      const again = await project.run('judges.yaml');
      expect(again.code).toBe(0);
      const repeated = judges.server.requests.slice(asked);
      // Only where there is no answer is one asked for.
      for (const { body, prompt: words } of repeated)
        expect(judges.said.get(`${body['model'] as string}\n${words}`)!.trim()).toBe('');
      for (const name of names)
        if (!name.startsWith('PaLM2') && name !== 'ChatGPT/CoT')
          expect(again.step(`${alias(name)}_both`).status, name).toBe('cached');

      function isNone(name: string, id: number, order: string): boolean {
        const said = read<Said & { passes: Record<string, { winner: number | null }>[] }>(
          'llmbar/natural_judgments.jsonl',
        ).find((row) => row.id === id && `${row.judge}/${row.strategy}` === name)!;
        return said.passes[0]![order]!.winner === null;
      }
    });

    it('PandaLM: two judges against three annotators', async () => {
      interface Pair {
        idx: number;
        instruction: string;
        input: string;
        response1: string;
        response2: string;
        annotator1: number;
        annotator2: number;
        annotator3: number;
        gpt35_result: string;
        gpt35_reason: string;
        pandalm7b_result: number;
        pandalm7b_reason: string;
      }
      const pairs = read<Pair>('pandalm/human_pairwise.jsonl');
      const judges = await RecordedJudges.start();
      await using _ = judges.server;
      for (const pair of pairs) {
        const prompt = `${pair.idx}: ${pair.instruction}\n${pair.input}\n1: ${pair.response1}\n2: ${pair.response2}`;
        judges.add('gpt35', prompt, `${pair.gpt35_result}\n\n### Reason: ${pair.gpt35_reason}`);
        judges.add('pandalm7b', prompt, `${pair.pandalm7b_result}\n\n### Reason: ${pair.pandalm7b_reason}`);
      }
      const step = (judge: string) => `
  ${judge}:
    use: judge
    from: pairs
    max_row_failures: 22
    with:
      mode: pairwise
      judges: [${judge}]
      answers: [response1, response2]
      labels: [1, 2, 0]
      orders: given
      format: text
      repairs: 0
      patterns: { first: '^1', second: '^2', tie: '^(0|Tie)' }
      prompt: { text: "{{id}}: {{text}}\\n{{input}}\\n1: {{answer_a}}\\n2: {{answer_b}}" }
  ${judge}_people:
    use: evaluate
    from: ${judge}
    with: { task: agreement, raters: [winner], annotators: [annotator1, annotator2, annotator3] }`;
      const project = new TestProject({
        'pairs.jsonl': jsonl(
          pairs.map(
            ({
              idx,
              gpt35_result: _a,
              gpt35_reason: _b,
              pandalm7b_result: _c,
              pandalm7b_reason: _d,
              ...pair
            }) => ({
              id: String(idx),
              ...pair,
            }),
          ),
        ),
        'judges.yaml': `
models:
  gpt35: ${judges.alias('gpt35')}
  pandalm7b: ${judges.alias('pandalm7b')}
steps:
  pairs: { use: load, with: { path: pairs.jsonl, id: id, text: instruction } }
  annotators:
    use: evaluate
    from: pairs
    with: { task: agreement, raters: [annotator1, annotator2, annotator3] }
${step('gpt35')}${step('pandalm7b')}
`,
      });
      projects.push(project);
      const run = await project.run('judges.yaml');
      expect(run.code, run.err).toBe(0);
      expect(judges.unknown).toBe(0);
      expect(judges.server.requests).toHaveLength(1000);
      const annotators = run.step('annotators').metrics as Record<string, number>;
      expect(annotators['fleiss_kappa']).toBeCloseTo(known.pandalm.fleiss, 6);
      expect(annotators['alpha']).toBeCloseTo(known.pandalm.alpha, 6);
      const rows = await lines(project, 'annotators');
      for (const [index, row] of rows.entries()) {
        expect(row['kappa']).toBeCloseTo(known.pandalm.kappas[index]!, 6);
        expect(row['agreement']).toBe(known.pandalm.agreements[index]);
      }
      for (const judge of ['gpt35', 'pandalm7b'] as const) {
        const theirs = known.pandalm[judge];
        const { metrics } = run.step(`${judge}_people`);
        expect(run.step(judge)).toMatchObject({ rows: theirs.rows, rows_failed: theirs.failed });
        expect(metrics).toMatchObject({ rows: theirs.rows, no_majority: 0 });
        expect(metrics['accuracy']).toBeCloseTo(theirs.accuracy, 6);
        expect(metrics['kappa']).toBeCloseTo(theirs.kappa, 6);
        const confusion = [0, 1, 2].map(() => [0, 0, 0]);
        for (const cell of await lines(project, `${judge}_people.contingency`))
          confusion[Number(cell['class'])]![Number(cell['predicted'])] = cell['count'] as number;
        expect(confusion).toEqual(known.pandalm.confusion[judge]);
      }
      await project.run('judges.yaml');
      expect(judges.server.requests).toHaveLength(1000);
    });

    it('MT-bench: pairs in both orders, and scores', async () => {
      interface Pair {
        question_id: number;
        turn: number;
        g1_winner: string;
        g2_winner: string;
        g1_judgment: string;
        g2_judgment: string;
      }
      interface Single {
        question_id: number;
        turn: number;
        score: number;
        judgment: string;
      }
      const turns = (file: string) =>
        new Map(
          read<{ question_id: number; model?: string; turns: string[] }>(file).map(
            ({ question_id, model, turns: texts }) => [`${question_id} ${model ?? ''}`, texts],
          ),
        );
      const [questions, answers] = [turns('mt-bench/questions.jsonl'), turns('mt-bench/answers.jsonl')];
      const textOf = (texts: Map<string, string[]>, id: number, model: string, turn: number) =>
        texts.get(`${id} ${model}`)![turn - 1]!;
      const judges = await RecordedJudges.start();
      await using _ = judges.server;
      const pairs = read<Pair>('mt-bench/judgments_gpt4_pair.jsonl').map((said) => {
        const { question_id: number, turn } = said;
        const id = `${number}-${turn}`;
        const [first, second] = ['phi-3', 'phi-3-dpo'].map((model) => textOf(answers, number, model, turn));
        judges.add('gpt-4', `${id}\n[A]\n${first}\n[B]\n${second}`, said.g1_judgment);
        judges.add('gpt-4', `${id}\n[A]\n${second}\n[B]\n${first}`, said.g2_judgment);
        return {
          id,
          question: textOf(questions, number, '', turn),
          first,
          second,
          model_1: 'phi-3',
          model_2: 'phi-3-dpo',
          said: `${said.g1_winner}|${said.g2_winner}`,
        };
      });
      const singles = read<Single>('mt-bench/judgments_gpt4_single.jsonl').map((said) => {
        const { question_id: number, turn } = said;
        const [id, answer] = [`${number}-${turn}`, textOf(answers, number, 'phi-3-dpo', turn)];
        judges.add('gpt-4', `${id}: ${answer}`, said.judgment);
        return { id, question: textOf(questions, number, '', turn), answer, known: said.score };
      });
      const project = new TestProject({
        'pairs.jsonl': jsonl(pairs),
        'singles.jsonl': jsonl(singles),
        'judges.yaml': `
models: { gpt_4: ${judges.alias('gpt-4')} }
steps:
  pairs: { use: load, with: { path: pairs.jsonl, id: id, text: question } }
  verdicts:
    use: judge
    from: pairs
    max_row_failures: 2
    with:
      mode: pairwise
      judges: [gpt_4]
      answers: [first, second]
      labels: [model_1, model_2, tie]
      format: text
      repairs: 0
      prompt: { text: "{{id}}\\n[A]\\n{{answer_a}}\\n[B]\\n{{answer_b}}" }
  table:
    use: evaluate
    from: verdicts
    with: { task: ratings, players: [model_1, model_2], labels: [model_1, model_2, tie], lengths: [first, second] }
  singles: { use: load, with: { path: singles.jsonl, id: id, text: question } }
  scores:
    use: judge
    from: singles
    with:
      judges: [gpt_4]
      scale: 1-10
      format: text
      repairs: 0
      prompt: { text: "{{id}}: {{answer}}" }
`,
      });
      projects.push(project);
      const run = await project.run('judges.yaml');
      expect(run.code, run.err).toBe(0);
      expect(judges.unknown).toBe(0);
      const { metrics } = run.step('verdicts');
      expect(metrics).toMatchObject({ rows: 73, first_wins: 18, second_wins: 20 });
      // 46 pairs alike, and one without a verdict in either order.
      expect(Math.round(Number(metrics['consistency']) * 73) + 1).toBe(47);
      const byRow = new Map<string, string[]>();
      for (const { parent_id: row, winner } of await lines(project, 'verdicts.judgments'))
        byRow.set(row as string, [...(byRow.get(row as string) ?? []), winner as string]);
      const counts: Record<string, number> = {};
      for (const [row, winners] of byRow) {
        const key = winners.join('|');
        expect(key).toBe(pairs.find(({ id }) => id === row)!.said);
        counts[key] = (counts[key] ?? 0) + 1;
      }
      expect(counts).toEqual({
        'model_1|model_2': 16,
        'model_1|tie': 5,
        'model_2|model_2': 20,
        'model_1|model_1': 18,
        'tie|tie': 8,
        'model_2|model_1': 2,
        'tie|model_2': 3,
        'model_2|tie': 1,
      });
      // Two players with as many points between them as their odds say, ties by half.
      const [best, other] = await lines(project, 'table');
      const odds = (20 + 35 / 2) / (18 + 35 / 2);
      expect(best).toMatchObject({ player: 'phi-3-dpo', wins: 20, ties: 35, losses: 18 });
      expect(Number(best!['rating']) - Number(other!['rating'])).toBeCloseTo(400 * Math.log10(odds), 0);
      expect(run.step('scores').metrics['mean_score']).toBe(8.2);
      for (const row of await lines(project, 'scores'))
        expect(row['score'], row['id'] as string).toBe(row['known']);
      const asked = judges.server.requests.length;
      await project.run('judges.yaml');
      expect(judges.server.requests.length).toBe(asked);
    });
  },
);
