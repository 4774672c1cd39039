import { shuffle } from './sampling.ts';

/**
 * A fold, 0 to `folds` − 1, for each row: the rows of a class are dealt out in random order, one class after the other, so that folds
 * and the classes in them are as even as can be.
 */
export function stratifiedFolds(classes: ArrayLike<number>, folds: number, seed: number): Int32Array {
  const members = new Map<number, number[]>();
  for (let row = 0; row < classes.length; row++) {
    const own = members.get(classes[row]!);
    if (own) own.push(row);
    else members.set(classes[row]!, [row]);
  }
  const found = new Int32Array(classes.length);
  let next = 0;
  const order = [...members.keys()].sort((a, b) => a - b);
  for (const number of order)
    for (const row of shuffle(members.get(number)!, (seed + number) >>> 0)) found[row] = next++ % folds;
  return found;
}
