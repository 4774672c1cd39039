import { sep } from 'node:path';

/** Whether an absolute path lies below a folder; names that begin with two dots (`..notes`) are names like any other. */
export function isInside(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
