import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call that a server was sent; its body was JSON. */
export interface HeardCall {
  url: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

/** How it answers: with a status and a text, or `never`. */
export type Answer = { status: number; text?: string } | 'never';

/** A server on the loopback that remembers what it is sent. Dispose it at the end. */
export async function listeningServer(answer: Answer) {
  const calls: HeardCall[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as HeardCall['body'];
      calls.push({ url: request.url!, headers: request.headers, body });
      if (answer !== 'never') response.writeHead(answer.status).end(answer.text ?? 'thanks');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    calls,
    port,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
