/** What the commands on runs have in common. */
export const runArgument = {
  name: '<run>',
  description: 'a run id, a unique prefix of one, latest, or latest~2',
};

export const json = { flags: '--json', description: 'as JSON on stdout' };

export const statusStyles = {
  succeeded: 'green',
  failed: 'red',
  interrupted: 'yellow',
  running: 'cyan',
} as const;
