import type { ReadStream } from 'node:tty';

export interface KeyHandlers {
  run(): void;
  force(): void;
  plan(): void;
  open(): void;
  quit(): void;
  /** Ctrl-C: in raw mode the terminal sends it as a character. */
  interrupt(): void;
}

export const keysLine = 'r run again · f force all steps · p plan · o open the report · q quit';

const handlers: Readonly<Record<string, keyof KeyHandlers>> = {
  r: 'run',
  f: 'force',
  p: 'plan',
  o: 'open',
  q: 'quit',
  '\u0003': 'interrupt',
};

/** Hears keys, one by one, on a terminal. Gives what leaves the terminal as it was. */
export function hearKeys(terminal: ReadStream, keys: KeyHandlers): () => void {
  const hear = (bytes: Buffer) => {
    const text = bytes.toString();
    // Arrows and function keys are sequences, some of which end in a letter.
    if (text.startsWith('\u001b')) return;
    for (const character of text) {
      const name = handlers[character];
      if (name) keys[name]();
    }
  };
  terminal.setRawMode(true);
  terminal.on('data', hear);
  terminal.resume();
  return () => {
    terminal.off('data', hear);
    terminal.setRawMode(false);
    terminal.pause();
  };
}
