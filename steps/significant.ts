/** Six significant digits: what a float32 computation can stand for, so that equal results have equal bytes. */
export function significant(value: number): number {
  return Number(value.toPrecision(6));
}
