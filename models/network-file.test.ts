import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { folderWith } from '../test/run-step.ts';
import { dependsOnBatch } from './network-file.ts';

it('finds dynamic quantisation wherever it stands in the file', () => {
  const near = fc.integer({ min: -30, max: 30 });
  fc.assert(
    fc.property(fc.constantFrom(0, 2 ** 20, 2 ** 21, 3 * 2 ** 20), near, (border, offset) => {
      const at = Math.max(0, border + offset);
      const file = Buffer.alloc(at + 200, 'DynamicQuantize');
      const plain = folderWith({ 'a.onnx': file });
      expect(dependsOnBatch(join(plain, 'a.onnx'))).toBe(false);
      file.write('DynamicQuantizeLinear', at);
      const marked = folderWith({ 'a.onnx': file });
      expect(dependsOnBatch(join(marked, 'a.onnx'))).toBe(true);
    }),
    { numRuns: 20 },
  );
});
