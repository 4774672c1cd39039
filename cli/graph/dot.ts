import { type Graph, nodeFacts, nodeLines, plainEdges } from './graph.ts';

const colors: { readonly [status: string]: string } = {
  ran: 'fillcolor="#e3f4ea", color="#1c7a4a"',
  cached: 'fillcolor="#e8e9fb", color="#4a4fd0"',
  skipped: 'fillcolor="#f1f1ee", color="#8d9097", style="rounded,filled,dashed"',
  failed: 'fillcolor="#fbe6e5", color="#b3312c"',
  interrupted: 'fillcolor="#fdf1d8", color="#8a5a00"',
  running: 'fillcolor="#fdf1d8", color="#8a5a00"',
};

/** The graph in Graphviz's DOT language (graphviz.org/doc/info/lang.html): every name and label is a quoted string. */
export function toDot(graph: Graph): string {
  const lines = [
    'digraph {',
    '  rankdir=LR;',
    '  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#8d9097", fontname="Helvetica", fontsize=11, margin="0.18,0.1"];',
    '  edge [color="#8d9097", fontname="Helvetica", fontsize=9, arrowsize=0.7];',
  ];
  for (const node of graph.nodes) {
    const { title, subtitle } = nodeLines(node);
    const label = [title, subtitle, nodeFacts(node)].filter(Boolean).map(quoted).join('\\n');
    const color = node.status && Object.hasOwn(colors, node.status) ? `, ${colors[node.status]}` : '';
    lines.push(`  "${quoted(node.id)}" [label="${label}"${color}];`);
  }
  for (const { from, to, label } of plainEdges(graph)) {
    const ends = `"${quoted(graph.nodes[from]!.id)}" -> "${quoted(graph.nodes[to]!.id)}"`;
    lines.push(`  ${ends}${label ? ` [label="${quoted(label)}"]` : ''};`);
  }
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

/** The inside of a quoted string. A backslash would start an escape (`\N` is the node's name): it is doubled. */
function quoted(text: string): string {
  return text
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\0', '');
}
