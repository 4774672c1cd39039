import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { ModelResolver } from '../engine/registry.ts';
import { builtInEncoders } from './catalogue.ts';
import type { Catalogue } from './language/catalogue.ts';
import { otherModels } from './language/model-names.ts';
import { staticFiles } from './static/folder.ts';

/** Files of an encoder's folder that say how it is used; with the network and its outside weights, what counts. */
const settings = [
  'config.json',
  'modules.json',
  'sentence_bert_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
];
const network = /\.onnx$/;
/** Weights above 2 GB lie beside the network, under its name and one of these endings. */
const outsideWeights = ['_data', '.data'];
/** The network that is taken where a folder holds several and the name does not say which. */
const preferred = ['onnx/model.onnx', 'model.onnx', 'onnx/model_w8.onnx'];

/**
 * Finds the folder of an encoder. A name is one of the built-in encoders (also as their publisher writes it), an alias, or a path below `root` with a
 * `/` in it; aliases and paths (relative to `root`, or absolute for an alias) lead to a folder in the layout of
 * sentence-transformers with an ONNX export, to one `.onnx` file of such a folder, or to a folder of static embeddings.
 */
export function createModelResolver(options: {
  root: string;
  aliases?: Readonly<Record<string, string>>;
  /** Gives the catalogue of hosted models. Without it none of their names is checked. */
  catalogue?(): Catalogue;
}): ModelResolver {
  const { root, aliases = {}, catalogue } = options;
  const builtIn = builtInEncoders.map(({ name }) => name);
  return {
    names: [...new Set([...builtIn, ...Object.keys(aliases)])].sort(),
    find(name) {
      if (Object.hasOwn(aliases, name)) return filesOf(resolve(root, aliases[name]!));
      // `./x` is relative to the file that says it, which is not known here.
      const isPath = name.includes('/') && !name.startsWith('.') && !isAbsolute(name);
      const found = isPath ? filesOf(resolve(root, name)) : undefined;
      // Its publisher's name of a built-in encoder is as good: sentence-transformers/all-MiniLM-L6-v2.
      const plain = name.toLowerCase().replace(/^sentence-transformers\//, '');
      return found ?? (builtIn.includes(plain) ? filesOf(join(builtInModels(), plain)) : undefined);
    },
    otherModels: (entry) => (catalogue === undefined ? null : otherModels(entry, catalogue)),
  };
}

/** The `models` folder of the product: at its root, beside `dist` in the built package. */
export function builtInModels(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'reprise')
      return join(folder, 'models');
    if (dirname(folder) === folder)
      throw new Error('the reprise package has no package.json: install it again');
  }
}

/** Undefined if there is neither a network nor a static model. With a network but no tokenizer.json the folder is found, and opening it says so. */
function filesOf(path: string): { folder: string; files: string[] } | undefined {
  if (!existsSync(path)) return undefined;
  const isNetwork = network.test(path) && statSync(path).isFile();
  if (!isNetwork && !statSync(path).isDirectory()) return undefined;
  // A static model may be published with a network beside it that does the same.
  const tables = isNetwork ? undefined : staticFiles(path);
  if (tables !== undefined) return { folder: path, files: tables.sort() };
  let folder = path;
  // The tokenizer lies with the network or, in the layout of sentence-transformers, one folder above.
  if (isNetwork) {
    folder = dirname(path);
    if (!existsSync(join(folder, 'tokenizer.json')) && existsSync(join(folder, '..', 'tokenizer.json')))
      folder = dirname(folder);
  }
  const chosen = isNetwork ? relative(folder, path).split(sep).join('/') : networkOf(folder);
  if (chosen === undefined) return undefined;
  const beside = outsideWeights.map((ending) => chosen + ending);
  const stages = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^\d+_/.test(entry.name))
    .flatMap(({ name }) => [`${name}/config.json`, `${name}/model.safetensors`]);
  const files = [chosen, ...beside, ...settings, ...stages].filter((file) => existsSync(join(folder, file)));
  return { folder, files: files.sort() };
}

function networkOf(folder: string): string | undefined {
  const networks = ['', 'onnx']
    .filter((part) => existsSync(join(folder, part)))
    .flatMap((part) =>
      readdirSync(join(folder, part))
        .filter((file) => network.test(basename(file)))
        .map((file) => (part ? `${part}/${file}` : file)),
    )
    .sort();
  return (
    preferred.find((file) => networks.includes(file)) ?? (networks.length === 1 ? networks[0] : undefined)
  );
}
