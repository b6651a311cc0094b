import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { doEach } from '../stage.ts';
import type { Stage } from '../stage.ts';

/** NVIDIA's own checker over the operations: memory, uninitialised reads, races of shared memory. */
export const sanitizer: Stage = {
  name: 'sanitizer',
  seconds: 120,
  run: async ({ row, limit }) => {
    const folder = mkdtempSync(join(tmpdir(), 'sweeplab-gpu-sanitizer-'));
    const result = join(folder, 'operations.json');
    const session = [...process.execArgv, process.argv[1]!, '--stage', 'operations', '--result', result, '--quick'];
    try {
      await doEach(['memcheck', 'racecheck', 'initcheck'], row, async (tool) => {
        rmSync(result, { force: true });
        try {
          const args = ['--tool', tool, '--error-exitcode', '9', process.execPath, ...session];
          execFileSync('compute-sanitizer', args, {
            encoding: 'utf8',
            timeout: (limit * 1000) / 3,
            maxBuffer: 2 ** 26,
          });
        } catch (error) {
          const { status, code, stdout = '' } = error as { status?: number | null; code?: string; stdout?: string };
          row({ tool, ok: false, status: status ?? null, text: stdout.slice(0, 2000) });
          throw new Error(code === undefined ? `exit ${status}` : code, { cause: error });
        }
        // A checker that saw nothing run has found nothing.
        const { rows, error } = JSON.parse(readFileSync(result, 'utf8')) as { rows: unknown[]; error?: string };
        if (rows.length === 0 || error !== undefined) throw new Error(error ?? 'no operation ran');
        row({ tool, ok: true, operations: rows.length });
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
