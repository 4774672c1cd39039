import { DamagedBlobError } from '../../store/store.ts';

/** The first few ids, and how many there are. */
export interface FollowedIds {
  count: number;
  first: string[];
}

/** Ids that are named in an answer. */
const idsNamed = 5;

export function shortList(ids: ReadonlySet<string>): FollowedIds {
  return { count: ids.size, first: [...ids].slice(0, idsNamed) };
}

/** Why rows are lost where a blob is gone; any other error goes on. */
export function goneReason(error: unknown): string {
  if (!(error instanceof DamagedBlobError)) throw error;
  return `its rows are not in the store any more (${error.digest.slice(0, 19)}…)`;
}
