import type { Option } from './command.ts';

/** `--profile`, the same for every command that reads a workflow. */
export const profileOption: Option = {
  flags: '--profile <name>',
  description: 'choose a profile of the workflow or of reprise.yaml (may be repeated; the last one wins)',
  repeat: true,
};
