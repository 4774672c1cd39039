import type { JsonObject } from '../../engine/json.ts';
import type { Message, Sampling } from '../../engine/language-model.ts';
import { type AskedModel, RowFailure } from '../../engine/step.ts';
import { chunksOf } from '../../models/language/chunks.ts';
import { mapReduce, refine } from '../../models/language/long-text.ts';

export interface Summary {
  title: string;
  description: string;
}

/** What is summarized, and how. */
export interface Subject {
  model: AskedModel;
  sampling: Sampling;
  /** Of a cluster its texts; of a document the one. */
  texts: readonly string[];
  kind: 'cluster' | 'document';
  /** Texts of other clusters. */
  others: readonly string[];
  keywords: readonly string[];
  /** What people said of an earlier summary. */
  feedback: string | null;
  instructions: string | null;
  language: string | null;
  /** The workflow's own question over some of the texts, or the notes on them; null for the built-in one. */
  question: ((texts: readonly string[]) => string) | null;
  long: 'map_reduce' | 'refine';
  /** Tokens of texts in one request. */
  partTokens: number;
  count(text: string): number;
  rounds: number;
  /** The language that a text is in; `und` if it cannot be told. */
  identify: ((text: string) => string) | null;
}

const summarySchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['description', 'title'],
  properties: {
    description: { type: 'string', minLength: 1 },
    title: { type: 'string', minLength: 1 },
  },
};
const critiqueSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['flaws', 'satisfied'],
  properties: { flaws: { type: 'string' }, satisfied: { type: 'boolean' } },
};

const tasks = {
  cluster: `Texts of one group follow. Say what they have in common: first a description of two sentences at most, then a title of ten words at most. Be specific: the title must fit these texts and not the others that are shown for contrast. Speak of the subject, not of "texts" or "users".`,
  document: `A document follows. Say what is in it: first a summary of five sentences at most, which names what matters (facts, numbers, names, conclusions), then a title of ten words at most.`,
};
const noteTask = {
  cluster: `Texts of one group follow; they are some of many. Note in a few short lines what they are about, what most of them have in common, and what sets some apart.`,
  document: `A part of a long document follows. Note in short lines what is in it: facts, numbers, names, conclusions.`,
};

/** Asks for a title and a description. Throws RowFailures. */
export async function summarize(subject: Subject): Promise<Summary> {
  const { texts, partTokens, count, long, kind } = subject;
  const all = listed(texts, kind);
  let summary: Summary;
  let sections: readonly (readonly string[])[] = [texts];
  if (count(all) <= partTokens) summary = await summaryOf(subject, texts);
  else if (long === 'refine') {
    const parts = partsOf(texts, kind, partTokens, count);
    summary = await refine({
      parts,
      first: (part) => summaryOf(subject, [part]),
      next: (before, part) =>
        summaryOf(
          subject,
          [part],
          `The texts before these were summed up so: ${said(before)}\nSum up all of them.`,
        ),
    });
    sections = parts.map((part) => [part]);
  } else {
    const notes = await mapReduce({
      parts: partsOf(texts, kind, partTokens, count),
      map: (part) => note(subject, part),
      reduce: (answers) => note(subject, answers.join('\n\n')),
      fits: (answers) => count(answers.join('\n\n')) <= partTokens,
    });
    sections = [[notes]];
    summary = await summaryOf(subject, [notes]);
  }
  return mended(subject, sections, summary);
}

/** Cuts texts into parts that fit into a request; a text that does not by itself is cut at paragraphs, sentences, words. */
function partsOf(
  texts: readonly string[],
  kind: Subject['kind'],
  partTokens: number,
  count: (text: string) => number,
): string[] {
  if (kind === 'document') return chunksOf(texts[0]!, partTokens, count);
  const parts: string[] = [];
  let open: string[] = [];
  let tokens = 0;
  for (const text of texts.flatMap((own) => chunksOf(own, partTokens, count))) {
    const own = count(text) + 4;
    if (open.length > 0 && tokens + own > partTokens) {
      parts.push(listed(open, kind));
      open = [];
      tokens = 0;
    }
    open.push(text);
    tokens += own;
  }
  if (open.length > 0) parts.push(listed(open, kind));
  return parts;
}

function listed(texts: readonly string[], kind: Subject['kind']): string {
  return kind === 'document' || texts.length === 1
    ? texts.join('\n')
    : texts.map((text) => `- ${text}`).join('\n');
}

async function note({ model, sampling, kind, language }: Subject, text: string): Promise<string> {
  const inLanguage = language === null ? '' : ` Write in ${languageName(language)}.`;
  const { text: notes } = await model.ask({
    messages: [
      { role: 'system', content: noteTask[kind] + inLanguage },
      { role: 'user', content: text },
    ],
    ...sampling,
  });
  return notes;
}

async function summaryOf(subject: Subject, texts: readonly string[], more = ''): Promise<Summary> {
  const { kind, others, keywords, feedback, question } = subject;
  const own =
    question?.(texts) ??
    [
      listed(texts, kind),
      ...(keywords.length > 0 ? [`Keywords: ${keywords.join(', ')}`] : []),
      ...(others.length > 0 ? [`Texts of other groups, for contrast:\n${listed(others, 'cluster')}`] : []),
      ...(feedback === null ? [] : [feedback]),
    ].join('\n\n');
  return inLanguage(subject, [
    { role: 'system', content: systemOf(subject) },
    { role: 'user', content: more === '' ? own : `${own}\n\n${more}` },
  ]);
}

function systemOf({ kind, language, instructions }: Subject): string {
  return [
    tasks[kind],
    ...(language === null ? [] : [`Write title and description in ${languageName(language)}.`]),
    ...(instructions === null ? [] : [instructions]),
  ].join('\n\n');
}

/** The answer in the language asked for: one in another is sent back once. */
async function inLanguage(subject: Subject, messages: readonly Message[]): Promise<Summary> {
  const { model, sampling, language, identify } = subject;
  const ask = async (conversation: readonly Message[]): Promise<Summary> => {
    const { json } = await model.ask({ messages: conversation, schema: summarySchema, ...sampling });
    const { title, description } = json as unknown as Summary;
    return { title: title.trim(), description: description.trim() };
  };
  const first = await ask(messages);
  const wrong = (summary: Summary) => {
    if (language === null || identify === null) return null;
    const found = identify(`${summary.description} ${summary.title}`);
    return found === 'und' || found === base(language) ? null : found;
  };
  if (wrong(first) === null) return first;
  const second = await ask([
    ...messages,
    { role: 'assistant', content: said(first) },
    {
      role: 'user',
      content: `That is not ${languageName(language!)}. Write title and description in ${languageName(language!)}.`,
    },
  ]);
  const other = wrong(second);
  if (other === null) return second;
  throw new RowFailure(
    `the answer is in ${languageName(other)}, not in ${languageName(language!)}: ${second.title}`,
  );
}

/**
 * The summary after so many rounds of criticism, fewer where nothing is found or nothing changes. In a round the critic is shown
 * all sections of the texts, one after the other.
 */
async function mended(
  subject: Subject,
  sections: readonly (readonly string[])[],
  first: Summary,
): Promise<Summary> {
  let summary = first;
  for (let round = 0; round < subject.rounds; round++) {
    const before = summary;
    for (const [index, texts] of sections.entries()) {
      const place =
        sections.length === 1
          ? ''
          : `This is part ${index + 1} of ${sections.length}. The summary is of all of them: what it says of other parts stays.`;
      const flaws = await flawsOf(subject, texts, summary, place);
      if (flaws === null) continue;
      summary = await summaryOf(
        subject,
        texts,
        [
          ...(place === '' ? [] : [place]),
          `This was the summary: ${said(summary)}`,
          `A critic said: ${flaws}`,
          'Mend it, and keep what was not criticized.',
        ].join('\n'),
      );
    }
    if (said(summary) === said(before)) return summary;
  }
  return summary;
}

/** What a critic finds in a summary; null if it can stay as it is. */
async function flawsOf(
  { model, sampling, kind, others }: Subject,
  texts: readonly string[],
  summary: Summary,
  place: string,
): Promise<string | null> {
  const shown = [
    listed(texts, kind),
    ...(others.length > 0 ? [`Texts of other groups:\n${listed(others, 'cluster')}`] : []),
    ...(place === '' ? [] : [place]),
    `Summary: ${said(summary)}`,
  ].join('\n\n');
  const { json } = await model.ask({
    messages: [
      {
        role: 'system',
        content: `You check a summary of what follows. Is anything in it wrong, missing, vague, or true of other texts as well? Say what (flaws), and whether it can stay as it is (satisfied).`,
      },
      { role: 'user', content: shown },
    ],
    schema: critiqueSchema,
    ...sampling,
  });
  const { flaws, satisfied } = json as { flaws: string; satisfied: boolean };
  return satisfied ? null : flaws;
}

function said({ title, description }: Summary): string {
  return JSON.stringify({ description, title });
}

/** The language without region and script. */
function base(code: string): string {
  return code.split('-')[0]!.toLowerCase();
}

/** The English name of a language by its code; the code where it has none. */
function languageName(code: string): string {
  try {
    return new Intl.DisplayNames('en', { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}
