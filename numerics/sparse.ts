/** A sparse matrix by rows: the entries of row r are those from `starts[r]` to `starts[r + 1]`, ascending by column. */
export interface SparseMatrix {
  rows: number;
  columns: number;
  starts: Float64Array;
  indices: Int32Array;
  values: Float64Array;
}

/** Aᵀ, by counting: time and memory linear in the entries. */
export function transpose({ rows, columns, starts, indices, values }: SparseMatrix): SparseMatrix {
  const turned: SparseMatrix = {
    rows: columns,
    columns: rows,
    starts: new Float64Array(columns + 1),
    indices: new Int32Array(indices.length),
    values: new Float64Array(values.length),
  };
  for (const column of indices) turned.starts[column + 1]!++;
  for (let column = 0; column < columns; column++) turned.starts[column + 1]! += turned.starts[column]!;
  const next = turned.starts.slice();
  for (let row = 0; row < rows; row++) {
    for (let entry = starts[row]!; entry < starts[row + 1]!; entry++) {
      const place = next[indices[entry]!]!++;
      turned.indices[place] = row;
      turned.values[place] = values[entry]!;
    }
  }
  return turned;
}
