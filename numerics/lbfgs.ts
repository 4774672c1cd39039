import { dot } from './vectors.ts';

export interface LbfgsOptions {
  /** Most iterations; each takes one evaluation, now and then two or three. */
  maxIterations: number;
  /** Ends when no part of the gradient is larger. */
  tolerance: number;
}

export interface LbfgsResult {
  point: Float64Array;
  value: number;
  iterations: number;
  /** False if the gradient was still larger than the tolerance. */
  converged: boolean;
}

/** The value at a point; its gradient is written into `gradient`. */
export type Objective = (point: Float64Array, gradient: Float64Array) => Promise<number>;

/** Pairs of steps and changes of the gradient that are remembered: what SciPy's L-BFGS-B takes by default. */
const memory = 10;
/** Constants of the Wolfe conditions. */
const decrease = 1e-4;
const curvature = 0.9;
const mostTrials = 25;
/** A value computed in float32 moves by about this share of itself without reason: less than it is no progress. */
const noise = 1e-9;

/**
 * Minimises a smooth function: limited-memory BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.5) with the
 * line search of Lewis & Overton (2013) for the weak Wolfe conditions. The arithmetic here is float64 in a fixed order:
 * the same values give the same steps.
 */
export async function minimize(
  objective: Objective,
  start: Float64Array,
  { maxIterations, tolerance }: LbfgsOptions,
): Promise<LbfgsResult> {
  const size = start.length;
  let point = start.slice();
  let gradient = new Float64Array(size);
  let value = await objective(point, gradient);
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  let iterations = 0;
  for (; iterations < maxIterations && largest(gradient) > tolerance; iterations++) {
    const direction = descentDirection(gradient, steps, changes);
    let slope = dot(direction, 0, gradient, 0, size);
    if (slope >= 0) {
      // Rounding has spoilt the memory: start again from the gradient.
      steps.length = 0;
      changes.length = 0;
      for (let i = 0; i < size; i++) direction[i] = -gradient[i]!;
      slope = -dot(gradient, 0, gradient, 0, size);
    }
    let length = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let [low, high] = [0, Number.POSITIVE_INFINITY];
    const next = new Float64Array(size);
    const nextGradient = new Float64Array(size);
    let nextValue = value;
    for (let trial = 0; trial < mostTrials; trial++) {
      for (let i = 0; i < size; i++) next[i] = point[i]! + length * direction[i]!;
      nextValue = await objective(next, nextGradient);
      if (!(nextValue <= value + decrease * length * slope)) high = length;
      else if (dot(direction, 0, nextGradient, 0, size) < curvature * slope) low = length;
      else break;
      length = high < Number.POSITIVE_INFINITY ? (low + high) / 2 : 2 * low;
    }
    const gained = value - nextValue;
    if (!(gained > 0)) break;
    const step = new Float64Array(size);
    const change = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      step[i] = next[i]! - point[i]!;
      change[i] = nextGradient[i]! - gradient[i]!;
    }
    if (dot(step, 0, change, 0, size) > 0) {
      steps.push(step);
      changes.push(change);
      if (steps.length > memory) {
        steps.shift();
        changes.shift();
      }
    }
    point = next;
    gradient = nextGradient;
    const before = value;
    value = nextValue;
    if (gained <= noise * Math.max(1, Math.abs(before))) {
      iterations++;
      break;
    }
  }
  return { point, value, iterations, converged: iterations < maxIterations };
}

/** −H·g by the two loops over the remembered pairs. */
function descentDirection(
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
): Float64Array {
  const size = gradient.length;
  const direction = gradient.map((value) => -value);
  const products = steps.map((step, pair) => dot(step, 0, changes[pair]!, 0, size));
  const weights = new Array<number>(steps.length);
  for (let pair = steps.length - 1; pair >= 0; pair--) {
    weights[pair] = dot(steps[pair]!, 0, direction, 0, size) / products[pair]!;
    add(direction, changes[pair]!, -weights[pair]!);
  }
  const last = steps.length - 1;
  if (last >= 0) {
    const scale = products[last]! / dot(changes[last]!, 0, changes[last]!, 0, size);
    for (let i = 0; i < size; i++) direction[i]! *= scale;
  }
  for (let pair = 0; pair < steps.length; pair++) {
    const weight = dot(changes[pair]!, 0, direction, 0, size) / products[pair]!;
    add(direction, steps[pair]!, weights[pair]! - weight);
  }
  return direction;
}

function add(to: Float64Array, from: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += factor * from[i]!;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}
