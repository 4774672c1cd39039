import { failureOf } from '../execute/failure.ts';

/** Does what a run can do without: if it fails, the run says so and goes on. */
export async function orWarn(
  consequence: string,
  warn: (message: string) => void,
  work: () => void | Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    warn(`${consequence}: ${failureOf(error).message}`);
  }
}
