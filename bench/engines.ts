/**
 * Measures engines side by side: first run, run with nothing to do, and run with one changed file, of trivial steps
 * (`cat`). See README.md for what is measured and how to read it.
 *
 * node bench/engines.ts [--shapes chain10,fan100,grid1000] [--engines make,…] [--runs 3] [--limit 300]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Engine, jobs, type Project } from './engine.ts';
import { dvc } from './engines/dvc.ts';
import { make } from './engines/make.ts';
import { ninja } from './engines/ninja.ts';
import { redun } from './engines/redun.ts';
import { repriseExec, repriseModule } from './engines/reprise.ts';
import { snakemake } from './engines/snakemake.ts';
import { turbo } from './engines/turbo.ts';
import { wireit } from './engines/wireit.ts';
import { type Measurement, measure, median, TooLong } from './measure.ts';
import { type Shape, shapes } from './shapes.ts';

const engines: readonly Engine[] = [
  repriseModule,
  repriseExec,
  ninja,
  make,
  wireit,
  turbo,
  dvc,
  snakemake,
  redun,
];

const kinds = ['first', 'nothing', 'change'] as const;
type Kind = (typeof kinds)[number];

/** All that was measured of one engine on one shape. */
interface Result {
  engine: string;
  version: string;
  shape: string;
  seconds: Record<Kind, number[]>;
  /** Steps that ran, as the log of the steps says. */
  executed: Record<Kind, number[]>;
  /** Of first runs. */
  rssMiB: number | null;
  cpuSeconds: number[];
  /** Why there is no figure, or not all. */
  problem: string | null;
}

const { values: options } = parseArgs({
  options: {
    shapes: { type: 'string', default: shapes.map(({ name }) => name).join(',') },
    engines: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    limit: { type: 'string', default: '300' },
    json: { type: 'string', default: join(import.meta.dirname, 'results/engines.json') },
    markdown: { type: 'string', default: join(import.meta.dirname, 'results/engines.md') },
    keep: { type: 'boolean', default: false },
  },
});
const runs = Number(options.runs);
const limitSeconds = Number(options.limit);
const work = mkdtempSync(join(tmpdir(), 'reprise-bench-'));

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function chosen<T extends { name: string }>(all: readonly T[], names: string, what: string): T[] {
  if (names === '') return [...all];
  return names.split(',').map((name) => {
    const wanted = name.trim().toLowerCase();
    const found = all.filter((item) => item.name.toLowerCase().replaceAll(', ', '-') === wanted);
    if (found.length === 1) return found[0]!;
    throw new Error(
      `there is no ${what} "${name}"; there are: ${all.map((item) => item.name.toLowerCase().replaceAll(', ', '-')).join(', ')}`,
    );
  });
}

/** One engine on one shape, with what was measured of it so far. */
class Trial {
  readonly result: Result;
  readonly #engine: Engine;
  readonly #shape: Shape;
  #rounds = 0;

  constructor(engine: Engine, version: string, shape: Shape) {
    this.#engine = engine;
    this.#shape = shape;
    this.result = {
      engine: engine.name,
      version,
      shape: shape.name,
      seconds: { first: [], nothing: [], change: [] },
      executed: { first: [], nothing: [], change: [] },
      rssMiB: null,
      cpuSeconds: [],
      problem: null,
    };
  }

  /**
   * First run, nothing to do (three times, since it is quick), one change (twice), in a project of its own: a file system
   * without a journal looks past all inodes that were freed lately, so that a first run after the removal of an earlier
   * one's files would be measured several times too slow.
   */
  async round(): Promise<void> {
    const project = await this.#makeProject();
    const first = await this.#measure(project, 'first', this.#shape.steps.length, true);
    this.result.rssMiB = Math.max(this.result.rssMiB ?? 0, first.rssMiB ?? 0) || null;
    if (first.cpuSeconds !== null) this.result.cpuSeconds.push(first.cpuSeconds);
    for (let time = 0; time < 3; time++) await this.#measure(project, 'nothing', 0);
    for (let time = 1; time <= 2; time++) {
      const { source, steps } = this.#shape.changed;
      writeFileSync(join(project.folder, 'src', source), `${source}, change ${time}\n`);
      await this.#measure(project, 'change', steps);
    }
  }

  async #makeProject(): Promise<Project> {
    const shape = this.#shape;
    const name = `${shape.name}-${this.#engine.name.replaceAll(/\W+/g, '-')}-${++this.#rounds}`;
    const folder = join(work, name);
    mkdirSync(join(folder, 'src'), { recursive: true });
    // Older than the run, as data is: of a file that was written in the last moments no engine can trust the time.
    const earlier = new Date(Date.now() - 60_000);
    for (const { source } of shape.steps) {
      if (source === null) continue;
      const path = join(folder, 'src', source);
      writeFileSync(path, `${source}\n`);
      utimesSync(path, earlier, earlier);
    }
    const project = { folder, shape, log: join(folder, 'executed.log') };
    this.#engine.write(project);
    await this.#engine.prepare?.(project);
    return project;
  }

  async #measure(project: Project, kind: Kind, expected: number, usage = false): Promise<Measurement> {
    writeFileSync(project.log, '');
    const measured = await measure(this.#engine.run(project), { usage, limitSeconds });
    const executed = readFileSync(project.log, 'utf8').split('\n').length - 1;
    this.result.seconds[kind].push(measured.seconds);
    this.result.executed[kind].push(executed);
    if (executed !== expected) {
      const problem = `${kind}: ${executed} steps ran where ${expected} had to`;
      this.result.problem ??= problem;
      say(`  ${this.#engine.name}: ${problem}`);
    }
    return measured;
  }
}

async function bench(shape: Shape, present: { engine: Engine; version: string }[]): Promise<Result[]> {
  const trials = present.map(({ engine, version }) => ({ engine, trial: new Trial(engine, version, shape) }));
  const out = new Set<Trial>();
  // Engines take turns, so that what else the machine does meets all of them.
  for (let round = 0; round < runs; round++) {
    for (const { engine, trial } of trials) {
      if (out.has(trial)) continue;
      say(`${shape.name} ${round + 1}/${runs} ${engine.name}`);
      try {
        await trial.round();
      } catch (error) {
        out.add(trial);
        trial.result.problem = error instanceof TooLong ? `> ${limitSeconds} s` : (error as Error).message;
        say(`  ${engine.name}: ${trial.result.problem}`);
      }
    }
  }
  return trials.map(({ trial }) => trial.result);
}

/** `0.123 (0.120)`: median and minimum. */
function cell(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const digits = (value: number) => (value >= 10 ? value.toFixed(1) : value.toFixed(3));
  return `${digits(median(values))} (${digits(Math.min(...values))})`;
}

function table(shape: Shape, results: readonly Result[]): string {
  const rows = results
    .toSorted((a, b) => median(a.seconds.nothing) - median(b.seconds.nothing))
    .map(({ engine, version, seconds, executed, cpuSeconds, rssMiB, problem }) => {
      const counts = kinds.map((kind) => executed[kind].at(-1) ?? '–').join(' / ');
      const cells = [
        `${engine} ${version}`,
        ...kinds.map((kind) => cell(seconds[kind])),
        counts,
        cell(cpuSeconds),
        rssMiB === null ? '–' : rssMiB.toFixed(0),
        problem?.split('\n')[0] ?? '',
      ];
      return `| ${cells.join(' | ')} |`;
    });
  return [
    `### ${shape.name}: ${shape.description}`,
    '',
    '| engine | first run, s | nothing to do, s | one change, s | steps run | CPU of first run, s | peak memory, MiB | |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const wanted = chosen(engines, options.engines, 'engine');
const present: { engine: Engine; version: string }[] = [];
for (const engine of wanted) {
  const version = await engine.version();
  if (version === null) say(`${engine.name} is not installed`);
  else present.push({ engine, version });
}
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  jobs,
  memory_gib: Math.round(totalmem() / 2 ** 30),
  platform: `${platform()} ${arch()}`,
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
  commit: commit(),
};
const results: Result[] = [];
const parts = [
  `# Engines side by side`,
  '',
  `${machine.date}, commit ${machine.commit}; ${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, ${machine.platform}, Node ${machine.node}; ` +
    `${jobs} steps at once; ${runs} rounds. Cells: median (minimum).`,
  '',
  ...present.map(({ engine }) => `- ${engine.name}: ${engine.note}`),
];
for (const shape of chosen(shapes, options.shapes, 'shape')) {
  const measured = await bench(shape, present);
  results.push(...measured);
  parts.push('', table(shape, measured));
}
const markdown = `${parts.join('\n')}\n`;
process.stdout.write(markdown);
mkdirSync(join(options.json, '..'), { recursive: true });
mkdirSync(join(options.markdown, '..'), { recursive: true });
writeFileSync(options.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
writeFileSync(options.markdown, markdown);
if (options.keep) say(`the projects are in ${work}`);
else rmSync(work, { recursive: true, force: true });
if (results.some(({ engine, problem }) => engine.startsWith('Reprise') && problem !== null))
  process.exitCode = 1;

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    }).trim();
  } catch {
    return 'unknown';
  }
}
