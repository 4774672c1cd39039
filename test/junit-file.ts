/** An XML element: its attributes, the elements in it, and its text. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

/** What Jenkins' schema (junit-10.xsd of its xUnit plugin) allows: children, and attributes with a `!` if needed. */
const schema: Record<string, { children: string[]; attributes: string[]; text?: true }> = {
  testsuites: { children: ['testsuite'], attributes: ['name', 'time', 'tests', 'failures', 'errors'] },
  testsuite: {
    children: ['testsuite', 'properties', 'testcase', 'system-out', 'system-err'],
    attributes: [
      ...['name!', 'tests!', 'failures!', 'errors!', 'group', 'time', 'skipped', 'timestamp', 'hostname'],
      ...['id', 'package', 'file', 'log', 'url', 'version'],
    ],
  },
  properties: { children: ['property'], attributes: [] },
  property: { children: [], attributes: ['name!', 'value!'] },
  testcase: {
    children: ['skipped', 'error', 'failure', 'system-out', 'system-err'],
    attributes: ['name!', 'time', 'classname', 'group'],
  },
  skipped: { children: [], attributes: ['type', 'message'], text: true },
  error: { children: [], attributes: ['type', 'message'], text: true },
  failure: { children: [], attributes: ['type', 'message'], text: true },
  'system-out': { children: [], attributes: [], text: true },
  'system-err': { children: [], attributes: [], text: true },
};

/** Reads a JUnit file; throws where it is not well-formed or not what the schema allows. */
export function readJunit(xml: string): XmlElement {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!xml.startsWith(declaration)) throw new Error('no XML declaration');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has none of these
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(xml) || !xml.isWellFormed())
    throw new Error('a character that XML does not have');
  const open: XmlElement[] = [{ name: '', attributes: {}, children: [], text: '' }];
  for (const [token] of xml.slice(declaration.length).matchAll(/<[^>]*>|[^<]+/g)) {
    const top = open.at(-1)!;
    const tag = /^<([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>$/.exec(token);
    if (tag) {
      const pairs = [...tag[2]!.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [
        key!,
        plain(value!),
      ]);
      const element = { name: tag[1]!, attributes: Object.fromEntries(pairs), children: [], text: '' };
      if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Error(`twice the same: ${token}`);
      top.children.push(element);
      if (tag[3] === '') open.push(element);
    } else if (token.startsWith('<')) {
      if (token !== `</${top.name}>`) throw new Error(`${token} inside <${top.name}>`);
      check(open.pop()!);
    } else top.text += plain(token);
  }
  if (open.length > 1) throw new Error(`<${open.at(-1)!.name}> does not end`);
  const [root, ...more] = open[0]!.children;
  if (root?.name !== 'testsuites' || more.length > 0) throw new Error('one <testsuites> is needed');
  return root;
}

function check({ name, attributes, children, text }: XmlElement): void {
  const rule = schema[name];
  if (rule === undefined) throw new Error(`there is no <${name}>`);
  for (const child of children) {
    if (!rule.children.includes(child.name)) throw new Error(`<${child.name}> inside <${name}>`);
    if (child.children.length === 0) check(child);
  }
  const known = rule.attributes.map((attribute) => attribute.replace('!', ''));
  for (const key of Object.keys(attributes)) if (!known.includes(key)) throw new Error(`<${name} ${key}>`);
  for (const key of rule.attributes.filter((attribute) => attribute.endsWith('!')))
    if (!Object.hasOwn(attributes, key.slice(0, -1))) throw new Error(`<${name}> without ${key}`);
  if (!rule.text && text.trim() !== '') throw new Error(`text inside <${name}>: ${text}`);
  const { time } = attributes;
  if (time !== undefined && !/^\d+(\.\d{0,3})?$/.test(time)) throw new Error(`<${name} time="${time}">`);
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function plain(text: string): string {
  return text.replace(/&(#\d+|\w+);|&/g, (whole, name?: string) => {
    const known = name?.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : entities[name ?? ''];
    if (known === undefined) throw new Error(`no entity: ${whole}`);
    return known;
  });
}
