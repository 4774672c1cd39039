import { describe, expect, it } from 'vitest';
import { StepError } from '../problems.ts';
import { WorkerPool } from './pool.ts';

const module = `data:text/javascript,${encodeURIComponent(`
  import { StepError } from ${JSON.stringify(new URL('../problems.ts', import.meta.url).href)};
  export const expected = () => { throw new StepError('model-busy', 'the model is busy', 'wait a little', { retryable: true }); };
  export const double = ({ values }, report) => { report(1, 1); return { values: values.map((v) => v * 2) }; };
  export const fail = () => { throw new RangeError('too far'); };
  export const spin = () => { for (;;); };
`)}`;

describe('WorkerPool', () => {
  it('runs functions of a module in threads, and keeps going after a failure', async () => {
    const pool = new WorkerPool({ threads: 1 });
    const tasks = pool.forStep(new AbortController().signal);
    await expect(tasks.run(module, 'fail', {})).rejects.toThrow('too far');
    const result = await tasks.run<object, { values: Float32Array }>(module, 'double', {
      values: new Float32Array([1, 2]),
    });
    expect([...result.values]).toEqual([2, 4]);
    await expect(tasks.run(module, 'missing', {})).rejects.toThrow('has no function missing');
    await pool.close();
  });

  it('gives an expected failure of a task with its code and hint, and whether to try again', async () => {
    const pool = new WorkerPool({ threads: 1 });
    const failure = await pool
      .forStep(new AbortController().signal)
      .run(module, 'expected', {})
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StepError);
    expect(failure).toMatchObject({
      code: 'model-busy',
      message: 'the model is busy',
      hint: 'wait a little',
      retryable: true,
    });
    await pool.close();
  });

  it('stops a thread that is cancelled, and serves the next task', async () => {
    const pool = new WorkerPool({ threads: 1 });
    const stop = new AbortController();
    const endless = pool.forStep(stop.signal).run(module, 'spin', {});
    stop.abort(new Error('enough'));
    await expect(endless).rejects.toThrow('enough');
    const result = await pool
      .forStep(new AbortController().signal)
      .run<object, { values: number[] }>(module, 'double', { values: [4] });
    expect(result.values).toEqual([8]);
    await pool.close();
  });
});
