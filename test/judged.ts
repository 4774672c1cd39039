import type { Row } from '../engine/artefacts.ts';
import type { JsonObject } from '../engine/json.ts';
import judge from '../steps/judge/index.ts';
import { askedModels } from './asked-models.ts';
import { ModelServer, type ModelServerOptions, type SeenRequest } from './model-server.ts';
import { runStep } from './run-step.ts';

export type Reply = (request: SeenRequest) => string;

/** Runs `judge` with judges that answer as `reply` says; gives what it made, and what the server saw. */
export async function judged(
  given: JsonObject,
  rows: Row[],
  reply: Reply = () => '',
  fault: ModelServerOptions['fault'] = () => null,
) {
  await using server = await ModelServer.start({ reply, fault });
  const judges = (given['judges'] as string[] | undefined) ?? [];
  const made = await runStep(judge, {
    with: given,
    inputs: { rows },
    languageModels: askedModels(server, judges),
  });
  return { ...made, requests: server.requests };
}

/** A judge's answer as JSON. */
export const says = (verdict: JsonObject): string => JSON.stringify(verdict);
/** What a prompt shows between tags. */
export const answerIn = (prompt: string, name = 'answer') =>
  new RegExp(`<${name}>\n([\\s\\S]*?)\n</${name}>`).exec(prompt)?.[1] ?? '';
export const modelOf = ({ body }: SeenRequest) => body['model'] as string;
