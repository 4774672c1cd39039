/** Points round four corners of a square, in turns; all differ. */
export function corners(perCorner: number) {
  const data: number[] = [];
  const rows = Array.from({ length: perCorner * 4 }, (_, index) => {
    const corner = index % 4;
    const turn = index * 2.4;
    data.push(
      (corner & 1) * 10 + Math.cos(turn) * (0.1 + index / 100),
      (corner >> 1) * 10 + Math.sin(turn) * (0.1 + index / 100),
    );
    return { id: `r${index}`, text: `text ${index}`, corner };
  });
  const matrix = { data: Float32Array.from(data), rows: rows.length, columns: 2 };
  return { rows, vectors: { matrix, ids: rows.map((row) => row.id) } };
}
