#!/usr/bin/env node
// Plain JavaScript that any Node can read: finds a Node that can run the product, then hands over to it.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const needed = 24;
const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

if (process.argv[2] === '--version' || process.argv[2] === '-V') {
  process.stdout.write(`${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`);
} else if (Number(process.versions.node.split('.')[0]) < needed) {
  await handOver();
} else {
  const module = await import('node:module');
  module.enableCompileCache?.();
  // Tables pass through in blocks that are soon garbage: V8 would rather let its heap double than collect them.
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--heap-growing-percent=50');
  // A checkout runs its sources, never a stale build; an installed package has only the build.
  const source = join(root, 'cli', 'main.ts');
  const fromSource = existsSync(source) && !root.includes(`${sep}node_modules${sep}`);
  const { main, leave } = await import(fromSource ? '../cli/main.ts' : '../dist/cli/main.js');
  leave(await main(process.argv.slice(2)));
}

/** Runs this file again on the Node that the package brought along. */
async function handOver() {
  const { spawn } = await import('node:child_process');
  const { createRequire } = await import('node:module');
  const require = createRequire(import.meta.url);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  let node;
  try {
    node = join(
      dirname(require.resolve(`${name}/package.json`)),
      'bin',
      process.platform === 'win32' ? 'node.exe' : 'node',
    );
  } catch {
    // Not there: an operating system for which no Node is brought along.
  }
  if (node === undefined || !existsSync(node)) {
    process.stderr.write(
      `reprise needs Node ${needed} or newer; this is ${process.version} and no newer one was installed with the package.\n` +
        'Install Node 24 from https://nodejs.org and run it again.\n',
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Signals are for the one that works: this one waits for its end. A Ctrl-C in the terminal reaches both.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${node} could not be started: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (status, signal) => {
    process.exitCode = status ?? 1;
    if (signal === null) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
