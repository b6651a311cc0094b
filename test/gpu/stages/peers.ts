import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Row } from '../report.ts';
import type { Stage } from '../stage.ts';

/** PyTorch on the same card in the same session: eager, compiled, compiled with graphs. */
export const peers: Stage = {
  name: 'peers',
  seconds: 150,
  run: async ({ limit, row }) => {
    const script = join(import.meta.dirname, '../peers.py');
    const child = spawn('python3', [script, String(limit - 10)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<string>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code === 0 ? '' : `exit ${code ?? signal}`));
    });
    let count = 0;
    // Each as soon as it is measured: what comes after it may not end.
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{')) continue;
      row(JSON.parse(line) as Row);
      count++;
    }
    const why = await ended;
    if (why !== '' || count === 0) throw new Error(`peers.py measured ${count} models${why === '' ? '' : ` (${why})`}`);
  },
};
