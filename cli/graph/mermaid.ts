import { type Graph, nodeFacts, nodeLines, plainEdges } from './graph.ts';

const classes = [
  ['ran', 'fill:#e3f4ea,stroke:#1c7a4a,color:#10301f'],
  ['cached', 'fill:#e8e9fb,stroke:#4a4fd0,color:#1d1f55'],
  ['skipped', 'fill:#f1f1ee,stroke:#8d9097,color:#45484e,stroke-dasharray:4 3'],
  ['failed', 'fill:#fbe6e5,stroke:#b3312c,color:#5a1512'],
  ['interrupted', 'fill:#fdf1d8,stroke:#8a5a00,color:#4a3100'],
  ['running', 'fill:#fdf1d8,stroke:#8a5a00,color:#4a3100'],
] as const;

/**
 * The graph in Mermaid's flowchart language (mermaid.js.org/syntax/flowchart). Nodes are called n0, n1, … because
 * ids of instances hold characters that Mermaid gives a meaning; texts are quoted, with entities for what quotes
 * would not keep.
 */
export function toMermaid(graph: Graph): string {
  const lines = ['flowchart LR'];
  graph.nodes.forEach((node, index) => {
    const { title, subtitle } = nodeLines(node);
    const text = [title, subtitle, nodeFacts(node)].filter(Boolean).map(entities).join('<br/>');
    const style = classes.some(([name]) => name === node.status) ? `:::${node.status}` : '';
    lines.push(`  n${index}("${text}")${style}`);
  });
  for (const { from, to, label } of plainEdges(graph))
    lines.push(`  n${from} -->${label ? `|"${entities(label)}"|` : ''} n${to}`);
  const used = new Set(graph.nodes.map(({ status }) => status));
  for (const [name, style] of classes) if (used.has(name)) lines.push(`  classDef ${name} ${style}`);
  return `${lines.join('\n')}\n`;
}

/** Everything that HTML or Mermaid would read as more than text, as `#number;`: Mermaid's own form of entities. */
function entities(text: string): string {
  return text
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(/["#<>&;`|{}[\]()\\]/g, (character) => `#${character.charCodeAt(0)};`);
}
