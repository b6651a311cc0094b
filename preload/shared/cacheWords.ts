/** What the cache of data takes, for the app and the terminal alike. */
import { formatBytes } from './format.ts';

export interface CacheParts {
  readonly prepared: readonly { readonly bytesOnDisk: number }[];
  readonly unfinished: readonly { readonly bytesOnDisk: number }[];
  readonly downloadedBytes: number;
}

/** `1.2 GB on disk: 0.9 GB prepared, 0.3 GB downloaded`; undefined where there is nothing. */
export function cacheWords({ prepared, unfinished, downloadedBytes }: CacheParts): string | undefined {
  const sum = (all: CacheParts['prepared']): number => all.reduce((bytes, { bytesOnDisk }) => bytes + bytesOnDisk, 0);
  const parts = (
    [
      ['prepared', sum(prepared)],
      ['begun and not finished', sum(unfinished)],
      ['downloaded', downloadedBytes],
    ] as const
  ).filter(([, bytes]) => bytes > 0);
  if (parts.length === 0) return undefined;
  const total = parts.reduce((bytes, [, each]) => bytes + each, 0);
  const each = parts.map(([what, bytes]) => `${formatBytes(bytes)} ${what}`).join(', ');
  return parts.length === 1 ? `${each}, in all` : `${formatBytes(total)} on disk: ${each}`;
}
