import type { JsonObject } from '../json.ts';
import type { ModelFolder, StepContext } from '../step.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import type { Asking } from './asking.ts';
import type { WorkerPool } from './pool.ts';
import { randomStream } from './random.ts';
import { makeScratch, removeScratch } from './scratch.ts';

/** What the surroundings give to a step's context. */
export interface ContextSource {
  step: ResolvedStep;
  seed: number;
  root: string;
  params: JsonObject;
  matrix?: JsonObject;
  env: Readonly<Record<string, string>>;
  /** Absolute paths behind each declared file or glob. */
  files: ReadonlyMap<string, readonly string[]>;
  models: ReadonlyMap<string, ModelFolder>;
  /** Null where nothing is asked. */
  asking?: Pick<Asking, 'model' | 'tokens'> | null;
  pool: WorkerPool;
  signal: AbortSignal;
  onProgress(done: number, total: number | null, unit: string): void;
  onLog(level: 'info' | 'warning', message: string): void;
}

/** The step's door to the world, and the way to close it when the step is done. */
export function stepContext(source: ContextSource): { context: StepContext; dispose(): void } {
  const { step } = source;
  const scratches: string[] = [];
  const context: StepContext = {
    signal: source.signal,
    root: source.root,
    env: source.env,
    params: source.params,
    matrix: source.matrix ?? {},
    pool: source.pool.forStep(source.signal),
    random(...names) {
      if (!step.seeded) throw new Error(`${step.use} asks for random numbers but is not declared \`seeded\``);
      return randomStream(source.seed, step.use, ...names);
    },
    files(path) {
      const found = source.files.get(path);
      if (found) return found;
      throw new Error(`${step.use} reads ${path}, which no \`input-path\` parameter names`);
    },
    model(name) {
      const found = source.models.get(name);
      if (found) return found;
      throw new Error(`${step.use} uses the model ${name}, which no \`model\` parameter names`);
    },
    languageModel(alias) {
      const found = source.asking?.model(alias);
      if (found) return found;
      throw new Error(`${step.use} asks the model ${alias}, which no \`language-model\` parameter names`);
    },
    modelTokens(alias) {
      const found = source.asking?.tokens(alias);
      if (found) return found;
      throw new Error(`${step.use} asks the model ${alias}, which no \`language-model\` parameter names`);
    },
    progress: (done, total, unit) => source.onProgress(done, total ?? null, unit ?? 'rows'),
    log: (message) => source.onLog('info', message),
    warn: (message) => source.onLog('warning', message),
    async scratch() {
      const folder = makeScratch();
      scratches.push(folder);
      return folder;
    },
  };
  return {
    context,
    dispose() {
      for (const folder of scratches) removeScratch(folder);
    },
  };
}
