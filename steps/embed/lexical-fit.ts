import { readFileSync } from 'node:fs';
import { digestOf, digestOfJson } from '../../engine/digest.ts';
import { StepError } from '../../engine/problems.ts';
import { npyHeader, parseNpy } from '../../engine/store/npy.ts';
import type { MatrixView } from '../../numerics/matrix-product.ts';
import type { NgramOptions, Vocabulary } from '../../numerics/tfidf.ts';

/** What the lexical method learns from texts, and what a text's vector depends on beside the text. */
export interface LexicalFit {
  options: NgramOptions & { sublinearTf: boolean };
  vocabulary: Vocabulary;
  /** `terms × dimensions`: a text's vector is the sum of its terms' rows, each times the term's TF-IDF weight. */
  components: MatrixView;
  singularValues: number[];
}

/** The files of a fit; `lexical.json` says how the others are read. */
const settingsFile = 'lexical.json';
const vocabularyFile = 'vocabulary.json';
const componentsFile = 'components.npy';
export const fitFiles = [settingsFile, vocabularyFile, componentsFile] as const;
const format = 1;

interface Settings {
  format: number;
  analyzer: NgramOptions['analyzer'];
  ngram_range: [number, number];
  sublinear_tf: boolean;
  documents: number;
  features: number;
  dimensions: number;
  singular_values: number[];
}

/** A fit as files that other programs can read. */
export function fitToFiles({
  options,
  vocabulary,
  components,
  singularValues,
}: LexicalFit): Map<string, Buffer> {
  const settings: Settings = {
    format,
    analyzer: options.analyzer,
    ngram_range: [...options.ngramRange],
    sublinear_tf: options.sublinearTf,
    documents: vocabulary.documents,
    features: components.rows,
    dimensions: components.columns,
    singular_values: singularValues,
  };
  const terms = { terms: vocabulary.terms, document_frequency: [...vocabulary.documentFrequency] };
  const { data } = components;
  return new Map([
    [settingsFile, Buffer.from(`${JSON.stringify(settings, null, 2)}\n`)],
    [vocabularyFile, Buffer.from(`${JSON.stringify(terms)}\n`)],
    [
      componentsFile,
      Buffer.concat([
        npyHeader(components.rows, components.columns),
        Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      ]),
    ],
  ]);
}

/** Reads a fit from its files, by the path of each. */
export function readFit(paths: Readonly<Record<string, string>>): LexicalFit {
  const json = (name: string): unknown => JSON.parse(readFileSync(paths[name]!, 'utf8'));
  const settings = json(settingsFile) as Settings;
  if (settings.format !== format)
    throw new StepError(
      'fit',
      `the fit has format ${settings.format}; this version reads ${format}`,
      'fit it again',
    );
  const { terms, document_frequency: documentFrequency } = json(vocabularyFile) as {
    terms: string[];
    document_frequency: number[];
  };
  const components = parseNpy(readFileSync(paths[componentsFile]!));
  if (components.rows !== terms.length || documentFrequency.length !== terms.length)
    throw new StepError('fit', 'the files of the fit do not belong together', 'fit it again');
  return {
    options: {
      analyzer: settings.analyzer,
      ngramRange: settings.ngram_range,
      sublinearTf: settings.sublinear_tf,
    },
    vocabulary: {
      documents: settings.documents,
      terms,
      documentFrequency: Int32Array.from(documentFrequency),
    },
    components,
    singularValues: settings.singular_values,
  };
}

/** Digest of a fit's content. */
export function digestOfFit(files: ReadonlyMap<string, Buffer>): string {
  return digestOfJson(fitFiles.map((name) => [name, digestOf(files.get(name)!)]));
}
