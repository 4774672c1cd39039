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
