import type { Hook, ResolvedStep } from './resolved.ts';

/** `${{ secrets.NAME }}` in a text in which nothing else is left open. */
const pattern = /\$\{\{ secrets\.([A-Za-z_]\w*) \}\}/g;

/** The names of the secrets that a text has a place for. */
export function secretsIn(template: string): string[] {
  return [...new Set([...template.matchAll(pattern)].map((match) => match[1]!))];
}

/** The text with the secrets in their places. */
export function withSecrets(template: string, secret: (name: string) => string): string {
  return template.replaceAll(pattern, (_, name: string) => secret(name));
}

/** The names of all secrets that have a place somewhere: in steps, in hooks, or as `keys` of models. */
export function secretsOf(
  steps: readonly ResolvedStep[],
  hooks: readonly Hook[],
  keys: ReadonlySet<string>,
): string[] {
  const names = new Set(keys);
  for (const { env } of steps)
    for (const value of Object.values(env))
      if (typeof value !== 'string' && 'secrets' in value) for (const name of value.secrets) names.add(name);
  for (const { webhook = '', headers = {}, env = {} } of hooks)
    for (const text of [webhook, ...Object.values(headers), ...Object.values(env)])
      for (const name of secretsIn(text)) names.add(name);
  return [...names].sort();
}
