/** A step that concatenates files: its own source, if it has one, and what other steps made. */
export interface ShapeStep {
  id: string;
  /** Name of its source file below `src/`. */
  source: string | null;
  /** Steps whose outputs it reads, each in front of it in the shape. */
  needs: string[];
}

export interface Shape {
  name: string;
  description: string;
  steps: ShapeStep[];
  /** The source that the one-change run changes, and how many steps must then run. */
  changed: { source: string; steps: number };
}

/** Steps in a row; the last one's source changes. */
function chain(length: number): Shape {
  const steps = Array.from({ length }, (_, index) => ({
    id: `s${index}`,
    source: `s${index}.txt`,
    needs: index > 0 ? [`s${index - 1}`] : [],
  }));
  return {
    name: `chain${length}`,
    description: `${length} steps in a row, each with a source file; the last one's changes`,
    steps,
    changed: { source: `s${length - 1}.txt`, steps: 1 },
  };
}

/** One step, many that read it, one that reads them all; the source of one of the many changes. */
function fan(width: number): Shape {
  const wide = Array.from({ length: width }, (_, index) => ({
    id: `w${index}`,
    source: `w${index}.txt`,
    needs: ['head'],
  }));
  return {
    name: `fan${width}`,
    description: `one step, ${width} that read it and a source file each, one that reads them all; one of the ${width} sources changes`,
    steps: [
      { id: 'head', source: 'head.txt', needs: [] },
      ...wide,
      { id: 'join', source: null, needs: wide.map(({ id }) => id) },
    ],
    changed: { source: `w${Math.floor(width / 2)}.txt`, steps: 2 },
  };
}

/** Layers of steps; each reads the two above it, so that a change in the first layer spreads by one step a layer. */
function grid(layers: number, width: number): Shape {
  const steps: ShapeStep[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (let column = 0; column < width; column++) {
      steps.push({
        id: `g${layer}_${column}`,
        source: layer === 0 ? `g${column}.txt` : null,
        needs: layer === 0 ? [] : [`g${layer - 1}_${column}`, `g${layer - 1}_${(column + 1) % width}`],
      });
    }
  }
  return {
    name: `grid${layers * width}`,
    description: `${layers} layers of ${width} steps, each of which reads two of the layer above; one of the ${width} sources changes`,
    steps,
    changed: { source: `g${Math.floor(width / 2)}.txt`, steps: (layers * (layers + 1)) / 2 },
  };
}

export const shapes: readonly Shape[] = [chain(10), fan(100), grid(10, 100)];
