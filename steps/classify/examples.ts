import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { TableInput } from '../../engine/step.ts';
import { chooserOf } from '../generate/few-shot.ts';
import { requireFields } from '../missing-field.ts';
import type { Given } from './shared.ts';

export interface ShownExample {
  text: string;
  labels: string[];
}

/** Chooses examples for a text among those of the input; none without `few_shot`. Rows without a class are left out. */
export async function openChooser(
  { few_shot: wanted }: Given,
  examples: TableInput | undefined,
  textFor: (row: JsonObject) => string,
): Promise<(text: string) => ShownExample[]> {
  if ((wanted === undefined) !== (examples === undefined))
    throw new StepError(
      'few-shot-examples',
      wanted === undefined
        ? 'there are examples to choose among, and no few_shot'
        : 'few_shot has no examples to choose among',
      wanted === undefined
        ? 'add few_shot: { label: … }'
        : 'bind a table with labelled rows to the input examples',
    );
  if (wanted === undefined || examples === undefined) return () => [];
  requireFields(examples, [wanted.label], 'examples');
  const labelled = (await examples.all()).filter((row) => row[wanted.label] != null);
  const candidates = labelled.map((row) => ({
    question: textFor(row),
    answer: JSON.stringify([row[wanted.label]!].flat().map(String)),
  }));
  const chooser = chooserOf(candidates, wanted);
  return (text) =>
    chooser(text).map(({ question, answer }) => ({ text: question, labels: JSON.parse(answer) as string[] }));
}
