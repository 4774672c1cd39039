import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry of npm on the loopback with one version of one package. Dispose it at the end. */
export async function npmRegistry(options: {
  name: string;
  version: string;
  bin: object;
  scripts?: object;
  tarball: string;
}) {
  const { name, version, bin, scripts = {} } = options;
  const bytes = readFileSync(options.tarball);
  const digest = (algorithm: string) => createHash(algorithm).update(bytes);
  const integrity = `sha512-${digest('sha512').digest('base64')}`;
  const server = createServer((request, response) => {
    if (request.url === `/${name}/-/${name}-${version}.tgz`) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes);
    } else if (request.url === `/${name}`) {
      const dist = {
        tarball: `${url}/${name}/-/${name}-${version}.tgz`,
        integrity,
        shasum: digest('sha1').digest('hex'),
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          name,
          'dist-tags': { latest: version },
          versions: { [version]: { name, version, bin, scripts, dist } },
        }),
      );
    } else response.writeHead(404).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    /** In the form of Subresource Integrity, as lockfiles have it. */
    integrity,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
