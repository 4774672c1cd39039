/**
 * Eigenvalues (descending) and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal form, then
 * implicit QL (Golub and Van Loan, sections 8.3.1 and 8.3.3; EISPACK tred2 and tql2). Time O(n³).
 *
 * @param matrix row-major `n * n`; only its lower triangle counts.
 * @returns `vectors` row-major `n * n`: column j belongs to `values[j]`, of length 1, its largest entry positive.
 */
export function symmetricEigen(
  matrix: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  if (matrix.length !== n * n) throw new RangeError(`${matrix.length} numbers are no ${n} × ${n} matrix`);
  // Scaled to entries of at most 1; what is far below rounding would only underflow.
  const size = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  if (!Number.isFinite(size)) throw new RangeError('the matrix is not finite');
  const vectors = matrix.map((value) => (Math.abs(value / size) < 1e-100 ? 0 : value / size));
  const diagonal = new Float64Array(n);
  const off = new Float64Array(n);
  tridiagonalise(vectors, diagonal, off, n);
  implicitQl(vectors, diagonal, off, n);
  return sorted(
    vectors,
    diagonal.map((value) => value * size),
    n,
  );
}

/** Householder's reduction (tred2): `v` becomes the product of the reflections, `d` and `e` the tridiagonal matrix. */
function tridiagonalise(v: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) d[j] = v[(n - 1) * n + j]!;
  for (let i = n - 1; i > 0; i--) {
    let scale = 0;
    let h = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(d[k]!);
    if (scale === 0) {
      e[i] = d[i - 1]!;
      for (let j = 0; j < i; j++) {
        d[j] = v[(i - 1) * n + j]!;
        v[i * n + j] = 0;
        v[j * n + i] = 0;
      }
    } else {
      for (let k = 0; k < i; k++) {
        d[k]! /= scale;
        h += d[k]! * d[k]!;
      }
      let f = d[i - 1]!;
      const g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      d[i - 1] = f - g;
      e.fill(0, 0, i);
      for (let j = 0; j < i; j++) {
        f = d[j]!;
        v[j * n + i] = f;
        let sum = e[j]! + v[j * n + j]! * f;
        for (let k = j + 1; k < i; k++) {
          sum += v[k * n + j]! * d[k]!;
          e[k]! += v[k * n + j]! * f;
        }
        e[j] = sum;
      }
      f = 0;
      for (let j = 0; j < i; j++) {
        e[j]! /= h;
        f += e[j]! * d[j]!;
      }
      const half = f / (h + h);
      for (let j = 0; j < i; j++) e[j]! -= half * d[j]!;
      for (let j = 0; j < i; j++) {
        f = d[j]!;
        const g2 = e[j]!;
        for (let k = j; k < i; k++) v[k * n + j]! -= f * e[k]! + g2 * d[k]!;
        d[j] = v[(i - 1) * n + j]!;
        v[i * n + j] = 0;
      }
    }
    d[i] = h;
  }
  accumulate(v, d, n);
  for (let j = 0; j < n; j++) {
    d[j] = v[(n - 1) * n + j]!;
    v[(n - 1) * n + j] = 0;
  }
  v[n * n - 1] = 1;
  e[0] = 0;
}

/** Multiplies the reflections out (the last part of tred2). */
function accumulate(v: Float64Array, d: Float64Array, n: number): void {
  for (let i = 0; i < n - 1; i++) {
    v[(n - 1) * n + i] = v[i * n + i]!;
    v[i * n + i] = 1;
    const h = d[i + 1]!;
    if (h !== 0) {
      for (let k = 0; k <= i; k++) d[k] = v[k * n + i + 1]! / h;
      for (let j = 0; j <= i; j++) {
        let g = 0;
        for (let k = 0; k <= i; k++) g += v[k * n + i + 1]! * v[k * n + j]!;
        for (let k = 0; k <= i; k++) v[k * n + j]! -= g * d[k]!;
      }
    }
    for (let k = 0; k <= i; k++) v[k * n + i + 1] = 0;
  }
}

/** QL with implicit shifts (tql2) on the tridiagonal matrix, its rotations applied to the columns of `v`. */
function implicitQl(v: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  for (let i = 1; i < n; i++) e[i - 1] = e[i]!;
  e[n - 1] = 0;
  let shift = 0;
  const largest = d.reduce((most, value, i) => Math.max(most, Math.abs(value) + Math.abs(e[i]!)), 0);
  for (let l = 0; l < n; l++) {
    let m = l;
    while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * largest) m++;
    for (let round = 0; m > l && Math.abs(e[l]!) > Number.EPSILON * largest; round++) {
      if (round === 50) throw new RangeError('the eigenvalues do not converge: the matrix is not finite');
      let g = d[l]!;
      let p = (d[l + 1]! - g) / (2 * e[l]!);
      let r = Math.hypot(p, 1) * (p < 0 ? -1 : 1);
      d[l] = e[l]! / (p + r);
      d[l + 1] = e[l]! * (p + r);
      const next = d[l + 1]!;
      let h = g - d[l]!;
      for (let i = l + 2; i < n; i++) d[i]! -= h;
      shift += h;
      p = d[m]!;
      let c = 1;
      let c2 = 1;
      let c3 = 1;
      let s = 0;
      let s2 = 0;
      const beyond = e[l + 1]!;
      for (let i = m - 1; i >= l; i--) {
        c3 = c2;
        c2 = c;
        s2 = s;
        g = c * e[i]!;
        h = c * p;
        r = Math.hypot(p, e[i]!);
        e[i + 1] = s * r;
        s = e[i]! / r;
        c = p / r;
        p = c * d[i]! - s * g;
        d[i + 1] = h + s * (c * g + s * d[i]!);
        for (let k = 0; k < n; k++) {
          const at = k * n + i;
          h = v[at + 1]!;
          v[at + 1] = s * v[at]! + c * h;
          v[at] = c * v[at]! - s * h;
        }
      }
      p = (-s * s2 * c3 * beyond * e[l]!) / next;
      e[l] = s * p;
      d[l] = c * p;
    }
    d[l]! += shift;
    e[l] = 0;
  }
}

function sorted(
  v: Float64Array,
  d: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  const order = Array.from({ length: n }, (_, index) => index).sort((a, b) => d[b]! - d[a]!);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    let top = 0;
    for (let row = 0; row < n; row++)
      if (Math.abs(v[row * n + from]!) > Math.abs(top)) top = v[row * n + from]!;
    const sign = top < 0 ? -1 : 1;
    for (let row = 0; row < n; row++) vectors[row * n + to] = sign * v[row * n + from]!;
  });
  return { values: Float64Array.from(order, (index) => d[index]!), vectors };
}
