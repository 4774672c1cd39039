/** `remote:` in reprise.yaml. */
export interface RemoteSettings {
  /** `file:<folder>` (from the project's root), `s3://bucket/prefix` or `redis://host:port`. */
  url: string;
  /** Whether results of this machine are put there. */
  push: boolean;
  /** How long to wait for an answer. */
  timeoutMs: number;
}

/** The same as it is written. */
export interface SaidRemote {
  url: string;
  push?: boolean;
  /** Seconds. */
  timeout?: number;
}

const defaultTimeoutS = 5;

export function remoteSettings({ url, push = true, timeout = defaultTimeoutS }: SaidRemote): RemoteSettings {
  return { url, push, timeoutMs: timeout * 1000 };
}
