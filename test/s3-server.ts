import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsV4Signer } from 'aws4fetch';

export const s3Credentials = {
  AWS_ACCESS_KEY_ID: 'someone',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_REGION: 'eu-west-1',
};

/** A server on the loopback that speaks as much of S3 as a shared cache needs, and checks every signature. */
export async function startS3Server(): Promise<{
  url: string;
  objects: Map<string, Buffer>;
  requests: string[];
  /** Answers instead of the server, if it gives true. */
  misbehave: { with: ((path: string, respond: (status: number, body: string) => void) => boolean) | null };
  close(): Promise<void>;
}> {
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  const misbehave: Awaited<ReturnType<typeof startS3Server>>['misbehave'] = { with: null };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client went away in the middle: nothing is kept.
      return;
    }
    const body = Buffer.concat(chunks);
    const path = request.url!;
    requests.push(`${request.method} ${path}`);
    const respond = (status: number, text = ''): void => {
      response.writeHead(status).end(text);
    };
    if (misbehave.with?.(path, respond)) return;
    const stated = request.headers['x-amz-content-sha256'] as string;
    const signer = new AwsV4Signer({
      method: request.method!,
      url: `http://${request.headers.host}${path}`,
      headers: { 'x-amz-content-sha256': stated },
      datetime: request.headers['x-amz-date'] as string,
      accessKeyId: s3Credentials.AWS_ACCESS_KEY_ID,
      secretAccessKey: s3Credentials.AWS_SECRET_ACCESS_KEY,
      service: 's3',
      region: s3Credentials.AWS_REGION,
    });
    if ((await signer.sign()).headers.get('authorization') !== request.headers.authorization) respond(403);
    else if (request.method === 'PUT') {
      if (createHash('sha256').update(body).digest('hex') !== stated) respond(400);
      else {
        objects.set(path, body);
        respond(200);
      }
    } else {
      const found = objects.get(path);
      if (!found) respond(404);
      else
        response
          .writeHead(200, { 'content-length': found.length })
          .end(request.method === 'GET' ? found : '');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests,
    misbehave,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
