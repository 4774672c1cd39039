import { describe, expect, it } from 'vitest';
import { minimize } from './lbfgs.ts';

describe('minimize', () => {
  it('finds the minimum of Rosenbrock’s valley', async () => {
    const found = await minimize(
      async ([x, y], gradient) => {
        gradient[0] = -2 * (1 - x!) - 400 * x! * (y! - x! ** 2);
        gradient[1] = 200 * (y! - x! ** 2);
        return (1 - x!) ** 2 + 100 * (y! - x! ** 2) ** 2;
      },
      Float64Array.of(-1.2, 1),
      { maxIterations: 200, tolerance: 1e-6 },
    );
    expect(found.converged).toBe(true);
    expect(found.point[0]).toBeCloseTo(1, 4);
    expect(found.point[1]).toBeCloseTo(1, 4);
    expect(found.iterations).toBeLessThan(60);
  });

  it('says when iterations ran out, and stays where there is nothing to gain', async () => {
    const quartic = async ([x]: Float64Array, gradient: Float64Array) => {
      gradient[0] = 4 * x! ** 3;
      return x! ** 4;
    };
    const cut = await minimize(quartic, Float64Array.of(5), { maxIterations: 2, tolerance: 1e-12 });
    expect(cut).toMatchObject({ converged: false, iterations: 2 });
    const flat = await minimize(async () => 3, Float64Array.of(1, 2), { maxIterations: 9, tolerance: 1e-4 });
    expect(flat).toMatchObject({ converged: true, iterations: 0, value: 3 });
  });
});
