import type { Option } from './command.ts';

/** `--param name=value`, of every command that reads a workflow. */
export const paramOption: Option = {
  flags: '--param <name=value>',
  description: 'set a param of the workflow (may be repeated)',
  repeat: true,
};
