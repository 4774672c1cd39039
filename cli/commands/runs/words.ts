/** What the commands on runs have in common. */
export const runWords = 'a run id, a unique prefix of one, latest, latest~2, or a tag';

export const runArgument = { name: '<run>', description: runWords };

export const json = { flags: '--json', description: 'as JSON on stdout' };

export const statusStyles = {
  succeeded: 'green',
  failed: 'red',
  interrupted: 'yellow',
  running: 'cyan',
} as const;
