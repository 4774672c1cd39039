import type { Graph } from './neighbour-graph.ts';
import { words } from './random.ts';
import { shuffle } from './sampling.ts';

export interface CommunityOptions {
  graph: Graph;
  /** Greater ones make more and smaller communities; 1 is Newman's modularity. */
  resolution: number;
  seed: number;
  /** Without it this is the Louvain method, whose communities may fall into parts without a link. */
  refine?: boolean;
}

/** A graph whose nodes stand for nodes of another one. */
interface Level extends Graph {
  /** By node: weight of the edges within it. */
  inner: Float64Array;
  /** By node: weight of all its ends of edges, those within it included. */
  degrees: Float64Array;
}

/** What a move must add at least, as a share of a node's degree: less is rounding. */
const least = 1e-10;
/** Times that the whole is done again from what it gave, at most; it seldom takes more than five. */
const mostRounds = 20;

/**
 * Communities of a graph by the Leiden algorithm (Traag, Waltman & van Eck 2019): nodes move to the community where they add most to the
 * modularity, in random order, as long as one gains; each community is refined, that is, built again from its single nodes, of which only
 * those well connected to the rest of it merge (with the best partner, as leidenalg does it); what was refined becomes the nodes of the next
 * level, which start in the communities found. All of this again, until nothing changes. Every community is connected.
 *
 * Gives the community of each node, from 0 in order of first nodes; a node without edges is alone. Time grows with edges.
 */
export function leiden({ graph, resolution, seed, refine = true }: CommunityOptions): Int32Array {
  const word = words(seed);
  const next = () => word() / 2 ** 32;
  const base = levelOf(graph);
  const total = sum(base.degrees);
  let labels: Int32Array = Int32Array.from({ length: graph.nodes }, (_, node) => node);
  if (total === 0) return labels;
  const scale = resolution / total;
  for (let round = 0; round < mostRounds; round++) {
    const before = labels;
    labels = onePass(base, labels, { scale, next, refine });
    if (samePartition(before, labels)) break;
  }
  return refine ? connectedParts(graph, labels) : numbered(labels).labels;
}

interface Moving {
  /** Resolution over the weight of all ends of edges. */
  scale: number;
  next: () => number;
  refine: boolean;
}

/** Moves, refines and aggregates, level by level, from the communities given. */
function onePass(base: Level, start: Int32Array, moving: Moving): Int32Array {
  let level = base;
  let labels = numbered(start).labels;
  /** By node of the base: its node on this level. */
  let nodes = Int32Array.from({ length: base.nodes }, (_, node) => node);
  for (;;) {
    moveNodes(level, labels, moving);
    const communities = numbered(labels);
    labels = communities.labels;
    const parts = moving.refine ? numbered(refined(level, labels, moving)) : communities;
    if (communities.count === level.nodes || parts.count === level.nodes)
      return nodes.map((node) => labels[node]!);
    const within = new Int32Array(parts.count);
    parts.labels.forEach((part, node) => {
      within[part] = labels[node]!;
    });
    level = aggregated(level, parts);
    nodes = nodes.map((node) => parts.labels[node]!);
    labels = within;
  }
}

/** Moves each node to the best community among its neighbours', or to one of its own; neighbours of moved nodes are looked at again. */
function moveNodes(level: Level, labels: Int32Array, { scale, next }: Moving): void {
  const { nodes, offsets, targets, weights, degrees } = level;
  const totals = new Float64Array(nodes);
  const sizes = new Int32Array(nodes);
  for (let node = 0; node < nodes; node++) {
    totals[labels[node]!]! += degrees[node]!;
    sizes[labels[node]!]!++;
  }
  const free: number[] = [];
  for (let community = nodes - 1; community >= 0; community--)
    if (sizes[community] === 0) free.push(community);
  const links = new Float64Array(nodes);
  const queue = shuffled(nodes, next);
  const waiting = new Uint8Array(nodes).fill(1);
  // A ring: a node is in it once at most.
  for (let head = 0, length = nodes; length > 0; length--, head = (head + 1) % nodes) {
    const node = queue[head]!;
    waiting[node] = 0;
    const own = labels[node]!;
    const degree = degrees[node]!;
    const [from, to] = [offsets[node]!, offsets[node + 1]!];
    for (let at = from; at < to; at++) links[labels[targets[at]!]!]! += weights[at]!;
    totals[own]! -= degree;
    let best = own;
    let most = links[own]! - scale * degree * totals[own]! + least * degree;
    for (let at = from; at < to; at++) {
      const community = labels[targets[at]!]!;
      const gain = links[community]! - scale * degree * totals[community]!;
      if (gain > most) {
        best = community;
        most = gain;
      }
    }
    if (most < 0 && sizes[own]! > 1) best = free.at(-1)!;
    for (let at = from; at < to; at++) links[labels[targets[at]!]!] = 0;
    totals[best]! += degree;
    if (best === own) continue;
    if (best === free.at(-1)) free.pop();
    labels[node] = best;
    sizes[best]!++;
    if (--sizes[own]! === 0) free.push(own);
    for (let at = from; at < to; at++) {
      const other = targets[at]!;
      if (waiting[other] === 1 || labels[other] === best) continue;
      waiting[other] = 1;
      queue[(head + length++) % nodes] = other;
    }
  }
}

/** Builds each community again from its single nodes: a node that is still alone merges with the part of it where that adds most. */
function refined(level: Level, communities: Int32Array, { scale, next }: Moving): Int32Array {
  const { nodes, offsets, targets, weights, degrees } = level;
  const parts = Int32Array.from({ length: nodes }, (_, node) => node);
  const totals = degrees.slice();
  const whole = new Float64Array(nodes);
  /** By part: weight of its edges to the rest of its community. */
  const outer = new Float64Array(nodes);
  const alone = new Uint8Array(nodes).fill(1);
  for (let node = 0; node < nodes; node++) {
    whole[communities[node]!]! += degrees[node]!;
    for (let at = offsets[node]!; at < offsets[node + 1]!; at++)
      if (communities[targets[at]!] === communities[node]) outer[node]! += weights[at]!;
  }
  const isWell = (part: number, community: number) =>
    outer[part]! >= scale * totals[part]! * (whole[community]! - totals[part]!) * (1 - least);
  const links = new Float64Array(nodes);
  for (const node of shuffled(nodes, next)) {
    const community = communities[node]!;
    if (alone[node] === 0 || !isWell(node, community)) continue;
    const degree = degrees[node]!;
    const [from, to] = [offsets[node]!, offsets[node + 1]!];
    for (let at = from; at < to; at++) {
      const other = targets[at]!;
      if (communities[other] === community) links[parts[other]!]! += weights[at]!;
    }
    let best = -1;
    let most = -least * degree;
    for (let at = from; at < to; at++) {
      const part = parts[targets[at]!]!;
      if (communities[targets[at]!] !== community) continue;
      const gain = links[part]! - scale * degree * totals[part]!;
      if (gain > most && isWell(part, community)) {
        best = part;
        most = gain;
      }
    }
    if (best >= 0) {
      outer[best]! += outer[node]! - 2 * links[best]!;
      totals[best]! += degree;
      parts[node] = best;
      alone[node] = 0;
      alone[best] = 0;
    }
    for (let at = from; at < to; at++) links[parts[targets[at]!]!] = 0;
  }
  return parts;
}

/** The graph whose nodes are the parts of another one. */
function aggregated(level: Level, { labels, count }: { labels: Int32Array; count: number }): Level {
  const members = grouped(labels, count);
  const inner = new Float64Array(count);
  const degrees = new Float64Array(count);
  const offsets = new Int32Array(count + 1);
  const targets: number[] = [];
  const weights: number[] = [];
  const links = new Float64Array(count);
  const known = new Int32Array(count).fill(-1);
  for (let part = 0; part < count; part++) {
    const start = targets.length;
    for (const node of members[part]!) {
      inner[part]! += level.inner[node]!;
      degrees[part]! += level.degrees[node]!;
      for (let at = level.offsets[node]!; at < level.offsets[node + 1]!; at++) {
        const other = labels[level.targets[at]!]!;
        // Seen from both ends.
        if (other === part) inner[part]! += level.weights[at]! / 2;
        else {
          if (known[other] !== part) targets.push(other);
          known[other] = part;
          links[other]! += level.weights[at]!;
        }
      }
    }
    for (let at = start; at < targets.length; at++) {
      weights.push(links[targets[at]!]!);
      links[targets[at]!] = 0;
    }
    offsets[part + 1] = targets.length;
  }
  return {
    nodes: count,
    offsets,
    targets: Int32Array.from(targets),
    weights: Float64Array.from(weights),
    inner,
    degrees,
  };
}

/**
 * Share of the edges' weight inside communities, less `resolution` times what chance would put there (Newman 2006; Reichardt &
 * Bornholdt 2006); 0 of a graph without edges.
 */
export function modularity(graph: Graph, labels: Int32Array, resolution: number): number {
  const level = levelOf(graph);
  const total = sum(level.degrees);
  if (total === 0) return 0;
  const { labels: communities, count } = numbered(labels);
  const found = aggregated(level, { labels: communities, count });
  let quality = 0;
  for (let community = 0; community < count; community++)
    quality += (2 * found.inner[community]!) / total - resolution * (found.degrees[community]! / total) ** 2;
  return quality;
}

/** The connected parts of communities, numbered in order of first nodes: rounding must not leave two parts in one. */
function connectedParts(graph: Graph, labels: Int32Array): Int32Array {
  const parts = new Int32Array(graph.nodes).fill(-1);
  let count = 0;
  for (let first = 0; first < graph.nodes; first++) {
    if (parts[first]! >= 0) continue;
    const stack = [first];
    parts[first] = count;
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      for (let at = graph.offsets[node]!; at < graph.offsets[node + 1]!; at++) {
        const other = graph.targets[at]!;
        if (parts[other]! >= 0 || labels[other] !== labels[node]) continue;
        parts[other] = count;
        stack.push(other);
      }
    }
    count++;
  }
  return parts;
}

function levelOf(graph: Graph): Level {
  const degrees = new Float64Array(graph.nodes);
  for (let node = 0; node < graph.nodes; node++)
    for (let at = graph.offsets[node]!; at < graph.offsets[node + 1]!; at++)
      degrees[node]! += graph.weights[at]!;
  return { ...graph, inner: new Float64Array(graph.nodes), degrees };
}

/** Labels from 0 in order of first nodes. */
function numbered(labels: Int32Array): { labels: Int32Array; count: number } {
  const numbers = new Map<number, number>();
  const renamed = labels.map((label) => {
    const number = numbers.get(label) ?? numbers.size;
    numbers.set(label, number);
    return number;
  });
  return { labels: renamed, count: numbers.size };
}

function grouped(labels: Int32Array, count: number): number[][] {
  const members: number[][] = Array.from({ length: count }, () => []);
  labels.forEach((label, node) => {
    members[label]!.push(node);
  });
  return members;
}

function samePartition(one: Int32Array, other: Int32Array): boolean {
  const second = numbered(other).labels;
  return numbered(one).labels.every((label, node) => label === second[node]);
}

/** The numbers below `size` in random order. */
function shuffled(size: number, next: () => number): Int32Array {
  return shuffle(
    Int32Array.from({ length: size }, (_, at) => at),
    next,
  );
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
