import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestProject } from '../project.ts';

/** Why no disks can be mounted here; null if they can. Linux lets users do it in a namespace of their own, mostly. */
export const cannotMount: string | null =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt && nsenter --version'], {
    stdio: 'ignore',
  }).status === 0
    ? null
    : 'needs Linux with unshare, nsenter and the right to mount in a namespace';

/** A project on a disk of its own, which only a namespace sees; commands run in there. Dispose it at the end. */
export class MountedProject extends TestProject {
  readonly #holder: ChildProcess;
  /** Where the disk is mounted, as seen from within. */
  readonly point: string;

  private constructor(holder: ChildProcess, point: string, files: Record<string, string>) {
    super(files, {
      // The namespace's files as this process sees them.
      folder: `/proc/${holder.pid}/root${point}`,
      wrap: (command) => [...enter(holder), `--wd=/proc/${holder.pid}/root${point}`, '--', ...command],
    });
    this.#holder = holder;
    this.point = point;
  }

  /** A disk of so many bytes. */
  static async make(files: Record<string, string>, bytes: number): Promise<MountedProject> {
    const point = mkdtempSync(join(tmpdir(), 'reprise-disk-'));
    const script = `mount -t tmpfs -o size=${bytes} tmpfs '${point}' && echo ready && exec sleep 3600`;
    const holder = spawn('unshare', ['-rm', '--propagation', 'private', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      holder.stdout!.once('data', () => resolve());
      holder.once('exit', (code) => reject(new Error(`unshare ended with ${code}`)));
    });
    return new MountedProject(holder, point, files);
  }

  /** A project in a folder of this one, in the same namespace. */
  inside(folder: string): TestProject {
    const path = `${this.folder}/${folder}`;
    return new TestProject(
      {},
      { folder: path, wrap: (command) => [...enter(this.#holder), `--wd=${path}`, '--', ...command] },
    );
  }

  /** Mounts the disk anew: `ro`, `rw`, `size=…`. */
  remount(options: string): void {
    this.within('mount', '-o', `remount,${options}`, this.point);
  }

  /** Mounts a folder of the project on itself, with options of its own: `ro`. */
  bind(folder: string, options: string): void {
    const path = join(this.point, folder);
    this.within('mount', '--bind', path, path);
    this.within('mount', '-o', `remount,bind,${options}`, path);
  }

  unbind(folder: string): void {
    this.within('umount', join(this.point, folder));
  }

  /** Runs a program in the namespace. */
  within(...command: string[]): string {
    const { status, stdout, stderr } = spawnSync(
      'nsenter',
      [...enter(this.#holder).slice(1), '--', ...command],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
    return stdout;
  }

  override [Symbol.dispose](): void {
    this.#holder.kill('SIGKILL');
    rmSync(this.point, { recursive: true, force: true });
  }
}

const enter = (holder: ChildProcess): string[] => [
  'nsenter',
  '--preserve-credentials',
  `--target=${holder.pid}`,
  '--user',
  '--mount',
];
