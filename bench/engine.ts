import { availableParallelism } from 'node:os';
import type { Command } from './measure.ts';
import type { Shape, ShapeStep } from './shapes.ts';

/** A generated project: a folder with `src/`, in which an engine's files are written. */
export interface Project {
  folder: string;
  shape: Shape;
  /** Every step that runs appends its id to this file, a line each: so executed steps are counted for all alike. */
  log: string;
}

/** How one engine runs a shape. */
export interface Engine {
  name: string;
  /** What runs a step, and how a change is noticed: what is needed to read the figures. */
  note: string;
  /** Its version, or null if it is not there. */
  version(): Promise<string | null>;
  /** Writes the project's files. */
  write(project: Project): void;
  /** What a project needs before anything is measured in it. */
  prepare?(project: Project): Promise<void>;
  run(project: Project): Command;
}

/** Steps at once, for all engines that can. */
export const jobs = availableParallelism();

export function outputOf(id: string): string {
  return `out/${id}.txt`;
}

/** Files that a step reads, relative to the project. */
export function filesOf(step: ShapeStep): string[] {
  return [...(step.source === null ? [] : [`src/${step.source}`]), ...step.needs.map(outputOf)];
}

/** The step as a line for the shell, for engines that keep outputs as files of the project. */
export function shellLine(step: ShapeStep, project: Project): string {
  return `cat ${filesOf(step).join(' ')} > ${outputOf(step.id)} && echo ${step.id} >> ${project.log}`;
}

/** Steps that no other step reads. */
export function targets(shape: Shape): string[] {
  const read = new Set(shape.steps.flatMap(({ needs }) => needs));
  return shape.steps.filter(({ id }) => !read.has(id)).map(({ id }) => id);
}
