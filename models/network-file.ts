import { closeSync, openSync, readSync } from 'node:fs';

/** An operator that scales its input by what else is in the batch: the mark of dynamic quantisation. */
const mark = Buffer.from('DynamicQuantizeLinear');
const blockSize = 2 ** 20;

/** Whether the vectors of a network depend on what is in the batch. Looks through the file without loading it. */
export function dependsOnBatch(network: string): boolean {
  const file = openSync(network, 'r');
  try {
    // Blocks overlap by one byte less than the mark, so that none is missed at a border.
    const block = Buffer.alloc(blockSize);
    const overlap = mark.length - 1;
    for (let place = 0; ; place += blockSize - overlap) {
      const size = readSync(file, block, 0, blockSize, place);
      if (block.subarray(0, size).includes(mark)) return true;
      if (size < blockSize) return false;
    }
  } finally {
    closeSync(file);
  }
}
