import type { Command } from '../../command.ts';
import { explain } from './explain.ts';
import { gc } from './gc.ts';
import { pin, unpin } from './pin.ts';
import { push } from './push.ts';
import { status } from './status.ts';
import { verify } from './verify.ts';

export const command: Command = {
  name: 'cache',
  summary: 'keep the store in bounds: status, gc, verify, pin, unpin, push, explain',
  commands: [status, gc, verify, pin, unpin, push, explain],
  default: 'status',
  examples: [
    { line: 'reprise cache', does: 'how big it is' },
    { line: 'reprise cache gc --dry-run', does: 'what would go' },
    { line: 'reprise cache verify', does: 'is every byte as it was?' },
    { line: 'reprise cache explain pipeline.yaml topics', does: 'why does a step hit or miss?' },
  ],
};
