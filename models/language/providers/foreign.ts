/**
 * Makes an SDK's client for another server than its provider's own. What the SDK takes from the environment (keys,
 * organisations, headers) is for the provider and hidden meanwhile; a server for which there is no key gets none.
 *
 * @param prefix of the variables that the SDK reads: `OPENAI_`
 */
export function foreignClient<C>(
  prefix: string,
  key: string | undefined,
  make: (options: { apiKey: string; defaultHeaders: { [name: string]: null } }) => C,
): C {
  const hidden = Object.entries(process.env).filter(([name]) => name.startsWith(prefix));
  for (const [name] of hidden) delete process.env[name];
  try {
    // Null takes a header out. Without any key the SDK would refuse.
    const defaultHeaders: { [name: string]: null } =
      key === undefined ? { authorization: null, 'x-api-key': null } : {};
    return make({ apiKey: key ?? 'none', defaultHeaders });
  } finally {
    for (const [name, value] of hidden) process.env[name] = value;
  }
}
