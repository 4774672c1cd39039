import { join } from 'node:path';
import { importedModels } from '../engine/archive/models.ts';
import type { RunRecord } from '../engine/record/record.ts';
import { resolverOf } from '../engine/reproduce/models.ts';
import type { ReproduceOptions, RestoredProject } from '../engine/reproduce/reproduce.ts';
import { openWorkspace } from '../engine/workspace.ts';
import { createModelResolver } from '../models/resolver.ts';
import { createStepRegistry } from '../steps/registry.ts';
import type { Cli } from './command.ts';
import { commands } from './commands/index.ts';
import { builtCode } from './package.ts';
import { parseCall } from './parse.ts';
import { aliasesOf, type OpenProject, readWorkflowFile } from './project.ts';

/** What the call of a run said of params and profiles. */
export interface RecordedCall {
  params: string[];
  profiles: string[];
}

/** Reads the recorded command as the command line does. Of one that it does not understand nothing is known. */
export async function recordedCall({ command: [name, ...rest] }: RunRecord): Promise<RecordedCall> {
  const nothing = { params: [], profiles: [] };
  const load = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) return nothing;
  try {
    const { options } = parseCall((await load()).command, rest);
    const list = (option: string) => (options[option] as string[] | undefined) ?? [];
    return { params: list('param').map((text) => text.split('=')[0]!.trim()), profiles: list('profile') };
  } catch {
    return nothing;
  }
}

/**
 * Opens a restored project with a store of its own. Models are looked for in it, in the project that it was restored from,
 * and among those that came with archives. Language models answer from the record, unless they are to be asked live.
 */
export function restoredProject(
  { workspace: own }: OpenProject,
  { profiles }: RecordedCall,
  cli: Cli,
  { record, live }: { record: RunRecord; live: boolean },
): ReproduceOptions['open'] {
  return ({ root, cwd }, storeFolder): RestoredProject => {
    let aliases: Record<string, string> = {};
    const modelSources = () =>
      [root, own.root, ...importedModels(own.store.folder)].map((folder) =>
        createModelResolver({ root: folder, aliases }),
      );
    const workspace = openWorkspace({
      root,
      storeFolder,
      registry: createStepRegistry(root),
      models: resolverOf(modelSources()),
      precomputed: builtCode(),
      // What the project has now comes before a `.env` of the commit.
      envRoots: [own.root, root],
      onDamage: (message) => cli.err(`${cli.paint('yellow', 'warning')} ${message}\n`),
    });
    return {
      workspace,
      modelSources,
      async compile(file, params) {
        const given = Object.entries(params).map(
          ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
        );
        const project = { workspace, runsFolder: '', cacheSize: 0, recorded: record };
        const workflow = await readWorkflowFile(join(root, file), given, project, { ...cli, cwd }, profiles);
        aliases = aliasesOf(workflow);
        if (workspace.languageModels !== null) {
          const { openLanguageModels } = await import('./language-models.ts');
          // Asked live, the models are asked about everything: no answer is known in a restored project.
          // Nor in batches: those would be noted in a folder that goes.
          const recorded = live ? { live } : { answers: await answersOf(record, own.store), offline: true };
          openLanguageModels(workflow, workspace, { ...recorded, root: own.root });
        }
        return workflow;
      },
    };
  };
}

async function answersOf(record: RunRecord, store: OpenProject['workspace']['store']) {
  const { recordedAnswers } = await import('./recorded-answers.ts');
  return recordedAnswers(record, store);
}
