import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Stage } from '../stage.ts';

/** PyTorch on the same card in the same session: eager, compiled, compiled with graphs. */
export const peers: Stage = {
  name: 'peers',
  seconds: 150,
  run: async ({ limit, row }) => {
    const script = join(import.meta.dirname, '../peers.py');
    const text = execFileSync('python3', [script, String(limit - 10)], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    const last = text.trim().split('\n').at(-1)!;
    for (const each of JSON.parse(last) as Record<string, number | string>[]) row(each);
  },
};
