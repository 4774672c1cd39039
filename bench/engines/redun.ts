import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, outputOf } from '../engine.ts';
import { pythonProgram, versionOf } from '../version.ts';

const program = pythonProgram('redun');

export const redun: Engine = {
  name: 'redun',
  note: 'a Python function in its process; hashes of code and files',
  version: () => versionOf(pythonProgram('pip'), ['show', 'redun']),
  write({ folder, shape, log }) {
    const steps = shape.steps.map(({ id, source, needs }) => [
      id,
      source === null ? null : `src/${source}`,
      needs,
      outputOf(id),
    ]);
    writeFileSync(
      join(folder, 'workflow.py'),
      `import json
import os
from typing import List
from redun import task, File

redun_namespace = "bench"

@task()
def concatenate(name: str, files: List[File], target: str) -> File:
    os.makedirs("out", exist_ok=True)
    with open(${JSON.stringify(log)}, "a") as log:
        log.write(name + "\\n")
    output = File(target)
    with output.open("w") as out:
        for file in files:
            out.write(file.read())
    return output

@task(cache=False)
def main():
    made = {}
    read = set()
    for name, source, needs, target in json.loads('''${JSON.stringify(steps)}'''):
        files = ([File(source)] if source else []) + [made[need] for need in needs]
        made[name] = concatenate(name, files, target)
        read.update(needs)
    return [value for name, value in made.items() if name not in read]
`,
    );
  },
  run: ({ folder }) => ({ argv: [program, 'run', 'workflow.py', 'main'], cwd: folder, env: process.env }),
};
