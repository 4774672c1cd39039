import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StepError } from '../../engine/problems.ts';
import type { FromSchema } from '../../engine/schema-type.ts';
import type { ModelFolder, StepContext, TableInput } from '../../engine/step.ts';
import { promptOf } from '../asking.ts';
import { addCounts, noCounts, type WordCounts } from './informativeness.ts';
import type { TokenizerSource } from './measure.ts';
import type { parameters } from './parameters.ts';
import { compressCode, compressNl } from './prompts.ts';
import { type Preserved, preservable } from './protected-spans.ts';
import { type CompressSettings, countsJson, moduleUrl } from './task.ts';

export type Given = FromSchema<typeof parameters>;

export function promptsOf({ compress_nl, compress_code }: Given) {
  return {
    compress_nl: promptOf(compress_nl, compressNl),
    compress_code: promptOf(compress_code, compressCode),
  };
}

function preservedOf({ preserve, method }: Given): readonly Preserved[] {
  return preserve ?? (method === 'model' ? ['code', 'links', 'numbers', 'negations'] : preservable);
}

/** What worker threads need. `corpus`: the texts whose words are counted. */
export async function settingsOf(
  given: Given,
  corpus: TableInput | null,
  context: StepContext,
): Promise<CompressSettings> {
  const { method, domain, rate, target, measure, level, informativeness, rules, force_tokens: force } = given;
  return {
    method,
    domain,
    rate: target === undefined ? (rate ?? 0.5) : null,
    target: target ?? null,
    measure,
    level,
    informativeness,
    rules,
    preserve: preservedOf(given),
    force,
    tokenizer: given.encoding
      ? { encoding: given.encoding }
      : given.tokenizer
        ? tokenizerOf(context.model(given.tokenizer))
        : null,
    counts: corpus && (await countedFile(corpus, given.text, context)),
  };
}

function tokenizerOf({ name, folder, files }: ModelFolder): TokenizerSource {
  const has = (file: string) => files.some((other) => other.name === file);
  if (!has('tokenizer.json')) throw new StepError('model', `${name} has no tokenizer.json`);
  const config = 'tokenizer_config.json';
  return { file: join(folder, 'tokenizer.json'), config: has(config) ? join(folder, config) : undefined };
}

/** Counts the words of a table, a block of rows at a time in each thread. */
async function countedFile(table: TableInput, field: string, context: StepContext): Promise<string> {
  const all = noCounts();
  const running = new Set<Promise<void>>();
  for await (const block of table.blocks()) {
    const texts = block.flatMap((row) => (typeof row[field] === 'string' ? [row[field]] : []));
    const work = context.pool
      .run<readonly string[], WordCounts>(moduleUrl, 'countTexts', texts)
      .then((counts) => addCounts(all, counts));
    running.add(work);
    void work.finally(() => running.delete(work)).catch(() => undefined);
    if (running.size >= 2 * context.pool.threads) await Promise.race(running);
  }
  await Promise.all(running);
  const file = join(await context.scratch(), 'counts.json');
  await writeFile(file, countsJson(all));
  return file;
}
