import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AwsV4Signer } from 'aws4fetch';
import { hexOf } from '../digest.ts';
import type { RemoteContent, RemoteStorage } from './storage.ts';

/** What the environment says, under the names that the AWS tools use. */
export interface S3Environment {
  AWS_ACCESS_KEY_ID?: string | undefined;
  AWS_SECRET_ACCESS_KEY?: string | undefined;
  AWS_SESSION_TOKEN?: string | undefined;
  AWS_REGION?: string | undefined;
  AWS_DEFAULT_REGION?: string | undefined;
  /** Another server than Amazon's: MinIO, R2, Ceph. The bucket is then part of the path. */
  AWS_ENDPOINT_URL_S3?: string | undefined;
  AWS_ENDPOINT_URL?: string | undefined;
}

/** A single PUT takes 5 GB; larger blobs stay at home. */
const limitBytes = 5e9;

/** Storage that speaks S3's protocol: GET, HEAD and PUT, signed (AWS Signature Version 4). */
export function s3Storage(bucket: string, prefix: string, env: S3Environment): RemoteStorage {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey)
    throw new Error('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set');
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
  const endpoint = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const base = endpoint
    ? `${endpoint.replace(/\/+$/, '')}/${bucket}`
    : bucket.includes('.')
      ? // A dot in the bucket's name would not be covered by the certificate.
        `https://s3.${region}.amazonaws.com/${bucket}`
      : `https://${bucket}.s3.${region}.amazonaws.com`;
  const folder = prefix.replace(/^\/+|\/+$/g, '');

  const send = async (
    method: 'GET' | 'HEAD' | 'PUT',
    name: string,
    signal: AbortSignal,
    blob?: RemoteContent,
  ): Promise<IncomingMessage> => {
    const signer = new AwsV4Signer({
      method,
      url: `${base}/${folder === '' ? '' : `${folder}/`}${name}`,
      headers: blob ? { 'x-amz-content-sha256': hexOf(blob.digest) } : {},
      accessKeyId,
      secretAccessKey,
      ...(env.AWS_SESSION_TOKEN && { sessionToken: env.AWS_SESSION_TOKEN }),
      service: 's3',
      region,
    });
    const { url, headers } = await signer.sign();
    const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, {
      method,
      headers: { ...Object.fromEntries(headers), ...(blob && { 'content-length': String(blob.bytes) }) },
      signal,
    });
    const answer = once(request, 'response');
    // Told by `answer` or by the pipeline; without a listener the other one of the two would end the process.
    answer.catch(() => {});
    if (blob) await Promise.race([pipeline(Readable.from(blob.content), request), answer]);
    else request.end();
    return (await answer)[0] as IncomingMessage;
  };

  return {
    limitBytes,
    async get(name, signal) {
      const answer = await send('GET', name, signal);
      if (answer.statusCode === 200) return answer;
      answer.resume();
      if (answer.statusCode === 404) return undefined;
      throw new Error(`it answered ${answer.statusCode} to GET`);
    },
    async has(name, signal) {
      const answer = await send('HEAD', name, signal);
      answer.resume();
      if (answer.statusCode === 200) return true;
      if (answer.statusCode === 404) return false;
      throw new Error(`it answered ${answer.statusCode} to HEAD`);
    },
    async put(name, blob, signal) {
      const answer = await send('PUT', name, signal, blob);
      answer.resume();
      if (answer.statusCode !== 200) throw new Error(`it answered ${answer.statusCode} to PUT`);
    },
    async close() {},
  };
}
