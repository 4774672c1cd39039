import { digestOfJson } from '../../engine/digest.ts';
import { html, type Markup, trusted } from '../../steps/report/markup.ts';
import { type Graph, type GraphNode, nodeFacts, nodeLines, plainEdges } from './graph.ts';
import { elkLayout, type Layout, type LayoutInput, type Line, layoutVersion, plainLayout } from './layout.ts';

/** Above this ELK takes longer than a person waits. */
const elkLimit = 300;
const widest = 250;
/** Room for the facts of a step that ran, whatever they are. */
const factsWidth = 128;

/**
 * Scheme colours are the report page's where it stands in one, its own where it stands alone. Everything is under
 * `.reprise-graph`, so that it changes nothing around it.
 */
const style = `
.reprise-graph { --g-card: var(--card, #fff); --g-line: var(--line-strong, #cfcfc7); --g-text: var(--text, #1a1b1e); --g-muted: var(--muted, #5f6269); --g-edge: #9a9da4; --g-ran: #1c7a4a; --g-cached: #4a4fd0; --g-failed: #b3312c; --g-running: #b07400; --g-skipped: #8d9097; font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
@media (prefers-color-scheme: dark) { .reprise-graph { --g-card: var(--card, #16181c); --g-line: var(--line-strong, #3b3f47); --g-text: var(--text, #ecedf0); --g-muted: var(--muted, #a1a5ae); --g-edge: #6c7079; --g-ran: #62cf97; --g-cached: #9aa0ff; --g-failed: #ff8f87; --g-running: #e5b454; --g-skipped: #777b84; } }
.reprise-graph .box { fill: var(--g-card); stroke: var(--g-line); }
.reprise-graph .title { font-size: 13px; font-weight: 600; fill: var(--g-text); }
.reprise-graph .sub { font-size: 11.5px; fill: var(--g-muted); }
.reprise-graph .edge { fill: none; stroke: var(--g-edge); stroke-width: 1.4; }
.reprise-graph .head { fill: var(--g-edge); }
.reprise-graph .flow { font-size: 10.5px; fill: var(--g-muted); text-anchor: middle; stroke: var(--g-card); stroke-width: 3; paint-order: stroke; stroke-linejoin: round; }
.reprise-graph .ran .dot { fill: var(--g-ran); } .reprise-graph .ran .box { stroke: var(--g-ran); }
.reprise-graph .cached .dot { fill: var(--g-cached); } .reprise-graph .cached .box { stroke: var(--g-cached); }
.reprise-graph .failed .dot { fill: var(--g-failed); } .reprise-graph .failed .box { stroke: var(--g-failed); stroke-width: 2; }
.reprise-graph .running .dot, .reprise-graph .interrupted .dot { fill: var(--g-running); } .reprise-graph .running .box, .reprise-graph .interrupted .box { stroke: var(--g-running); }
.reprise-graph .skipped .dot { fill: var(--g-skipped); } .reprise-graph .skipped .box { stroke: var(--g-skipped); stroke-dasharray: 4 3; } .reprise-graph .skipped .title { fill: var(--g-muted); }
`;

/** Layouts that were made before, by a key of what they lay out. */
export interface LayoutCache {
  get(key: string): Promise<Layout | undefined>;
  set(key: string, layout: Layout): Promise<void>;
}

/**
 * The graph as an SVG drawing that stands alone or within a page; light and dark follow the reader's scheme. Equal
 * graphs give equal bytes. Loading ELK and laying out takes 0.3 s; with `layouts` only the first time, since a
 * card's size does not hang on how long its step took or whether it was cached.
 */
export async function toSvg(graph: Graph, options: { layouts?: LayoutCache } = {}): Promise<string> {
  const edges = plainEdges(graph);
  const cards = graph.nodes.map(cardOf);
  const input: LayoutInput = {
    sizes: cards.map(({ width, height }) => ({ width, height })),
    edges: edges.map(({ from, to, label }) => ({
      from,
      to,
      label: label === '' ? null : { width: Math.ceil(textWidth(label, 10.5)) + 8, height: 14 },
    })),
  };
  return draw(graph, cards, edges, await layoutOf(input, options.layouts)).text;
}

async function layoutOf(input: LayoutInput, layouts: LayoutCache | undefined): Promise<Layout> {
  if (input.sizes.length > elkLimit) return plainLayout(input);
  const key = digestOfJson([layoutVersion, input]);
  const known = await layouts?.get(key);
  if (known) return known;
  const layout = await elkLayout(input);
  await layouts?.set(key, layout);
  return layout;
}

interface Card {
  width: number;
  height: number;
  lines: string[];
}

function cardOf(node: GraphNode): Card {
  const { title, subtitle } = nodeLines(node);
  const known = node.status !== undefined;
  const lines = [fitText(title, 13, 600), fitText(subtitle, 11.5), fitText(nodeFacts(node), 11.5)].filter(
    Boolean,
  );
  const text = Math.max(
    textWidth(lines[0] ?? '', 13, 600) + (known ? 17 : 0),
    textWidth(lines[1] ?? '', 11.5),
    known ? factsWidth : textWidth(lines[2] ?? '', 11.5),
  );
  return { width: Math.max(96, Math.ceil(text) + 28), height: 20 + (known ? 3 : lines.length) * 16, lines };
}

function draw(graph: Graph, cards: Card[], edges: { label: string }[], layout: Layout): Markup {
  const [width, height] = [Math.ceil(layout.width), Math.ceil(layout.height)];
  return html`<svg xmlns="http://www.w3.org/2000/svg" class="reprise-graph" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${`Graph of ${graph.nodes.length} steps`}">
<style>${trusted(style)}</style>
<defs><marker id="reprise-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="head" d="M0 .6 7.4 4 0 7.4z"/></marker></defs>
<g>${layout.lines.map(
    (line) => html`<path class="edge" d="${pathOf(line)}" marker-end="url(#reprise-arrow)"/>
`,
  )}</g>
<g>${layout.lines.map((line, index) =>
    line.label
      ? html`<text class="flow" x="${fixed(line.label.x)}" y="${fixed(line.label.y + 3.5)}">${edges[index]!.label}</text>\n`
      : null,
  )}</g>
<g>${graph.nodes.map((node, index) => nodeMarkup(node, cards[index]!, layout.boxes[index]!))}</g>
</svg>`;
}

function nodeMarkup(node: GraphNode, { width, height, lines }: Card, box: { x: number; y: number }): Markup {
  const facts = nodeFacts(node);
  const tip = [node.label ?? node.id, node.use, node.status, facts].filter(Boolean).join(', ');
  return html`<g class="${node.status ?? 'node'}" transform="translate(${fixed(box.x)} ${fixed(box.y)})"><title>${tip}</title><rect class="box" width="${width}" height="${height}" rx="10"/>${
    node.status ? html`<circle class="dot" cx="${width - 16}" cy="19" r="4"/>` : null
  }${lines.map((line, row) => html`<text class="${row === 0 ? 'title' : 'sub'}" x="14" y="${23 + row * 16}">${line}</text>`)}</g>
`;
}

/** Corners are rounded with quadratic curves, by at most half of the shorter leg. */
function pathOf({ points, kind }: Line): string {
  const at = ({ x, y }: { x: number; y: number }) => `${fixed(x)} ${fixed(y)}`;
  if (kind === 'curve') return `M${at(points[0]!)}C${points.slice(1).map(at).join(' ')}`;
  let path = `M${at(points[0]!)}`;
  for (let index = 1; index < points.length - 1; index++) {
    const [before, corner, behind] = [points[index - 1]!, points[index]!, points[index + 1]!];
    const radius = Math.min(8, distance(before, corner) / 2, distance(corner, behind) / 2);
    path += `L${at(towards(corner, before, radius))}Q${at(corner)} ${at(towards(corner, behind, radius))}`;
  }
  return `${path}L${at(points.at(-1)!)}`;
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function towards(from: { x: number; y: number }, to: { x: number; y: number }, length: number) {
  const whole = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * length) / whole, y: from.y + ((to.y - from.y) * length) / whole };
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** About how wide a text is in a usual sans serif, in pixels: no font is at hand where the drawing is made. */
function textWidth(text: string, size: number, weight = 400): number {
  let em = 0;
  for (const character of text) {
    if (/[ijl.,:;|!'()[\]ftr ·]/.test(character)) em += 0.36;
    else if (/[mwMW@%]/.test(character)) em += 0.9;
    else if (/[A-Z_]/.test(character)) em += 0.68;
    else em += /[\u1100-\uffdc]/.test(character) ? 1.05 : 0.58;
  }
  return em * size * (weight > 400 ? 1.06 : 1);
}

/** The text, cut to what a card can hold. Its white space is made plain, since SVG keeps none. */
function fitText(text: string, size: number, weight = 400): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (textWidth(line, size, weight) <= widest) return line;
  const characters = [...line];
  while (characters.length > 1 && textWidth(characters.join(''), size, weight) > widest - size)
    characters.pop();
  return `${characters.join('').trimEnd()}…`;
}
