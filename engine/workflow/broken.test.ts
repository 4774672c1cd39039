import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createModelResolver } from '../../models/resolver.ts';
import { createStepRegistry } from '../../steps/registry.ts';
import type { Json } from '../json.ts';
import { compileWorkflow } from './compile.ts';
import { renderProblems } from './render.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'test/broken');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

/** A first line `# call: {"params": …}` says how the file is called. */
function callOf(text: string): {
  params?: { [name: string]: Json };
  profiles?: string[];
  env?: Record<string, string>;
} {
  const call = /^# call: (.*)$/m.exec(text)?.[1];
  return call === undefined ? {} : JSON.parse(call);
}

/** The problems of a file of the corpus as the command line shows them. */
async function messagesOf(name: string): Promise<string> {
  const file = `${name}.yaml`;
  const { params = {}, profiles = [], env = {} } = callOf(readFileSync(join(folder, file), 'utf8'));
  const result = await compileWorkflow(
    { file, cwd: folder, params, profiles, env },
    { registry: createStepRegistry(root), models: createModelResolver({ root }), root },
  );
  const read = (path: string): string => readFileSync(resolve(folder, path), 'utf8');
  return `${renderProblems(result.problems, read)}\n`;
}

describe('every broken workflow file gets the messages beside it', () => {
  it('there are many of them', () => {
    expect(names.length).toBeGreaterThanOrEqual(60);
  });

  it.each(names)('%s', async (name) => {
    const expected = join(folder, `${name}.txt`);
    const messages = await messagesOf(name);
    // To change messages on purpose: UPDATE_BROKEN=1, and read the diff.
    if (process.env['UPDATE_BROKEN'] === '1') writeFileSync(expected, messages);
    expect(existsSync(expected), `${name}.txt is missing`).toBe(true);
    expect(messages).toBe(readFileSync(expected, 'utf8'));
    expect(messages.trim()).not.toBe('');
  });
});
