import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readEnvFile } from '../secrets.ts';
import type { Workspace } from '../workspace.ts';
import type { RemoteSettings } from './settings.ts';
import { SharedCache } from './shared-cache.ts';
import type { RemoteStorage } from './storage.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens a project's shared cache for a run. Credentials come from the environment, or from `.env` in the project's root.
 * Null, with a warning, if that cannot be done.
 */
export async function openSharedCache(
  settings: RemoteSettings,
  { root, store, steps }: Pick<Workspace, 'root' | 'store' | 'steps'>,
  { signal, warn }: { signal: AbortSignal; warn(message: string): void },
): Promise<SharedCache | null> {
  try {
    const env = { ...readEnvFile(root), ...process.env };
    const storage = await openStorage(settings, root, env);
    return new SharedCache({
      settings,
      storage,
      store,
      steps,
      secret: env['REPRISE_REMOTE_KEY'],
      signal,
      warn,
    });
  } catch (error) {
    warn(
      `the shared cache ${settings.url} cannot be used: ${(error as Error).message}; this run goes on without it`,
    );
    return null;
  }
}

async function openStorage(settings: RemoteSettings, root: string, env: Environment): Promise<RemoteStorage> {
  const { url, timeoutMs } = settings;
  if (url.startsWith('file:')) {
    const { folderStorage } = await import('./folder.ts');
    return folderStorage(url.startsWith('file://') ? fileURLToPath(url) : resolve(root, url.slice(5)));
  }
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(\/.*)?$/.exec(url) ?? [];
  if (bucket !== undefined) {
    const { s3Storage } = await import('./s3.ts');
    return s3Storage(bucket, prefix, env);
  }
  const { redisStorage } = await import('./redis.ts');
  return redisStorage(url, env, timeoutMs);
}
