import { execFileSync } from 'node:child_process';
import type { Stage } from '../stage.ts';

/** NVIDIA's own checker over the operations: memory, uninitialised reads, races of shared memory. */
export const sanitizer: Stage = {
  name: 'sanitizer',
  seconds: 120,
  run: async ({ row, limit }) => {
    const wrong: string[] = [];
    for (const tool of ['memcheck', 'racecheck', 'initcheck']) {
      const script = process.argv[1]!;
      const args = ['--tool', tool, '--error-exitcode', '9', process.execPath, ...process.execArgv, script];
      try {
        execFileSync('compute-sanitizer', [...args, '--stage', 'operations', '--result', '/dev/null', '--quick'], {
          encoding: 'utf8',
          timeout: (limit * 1000) / 3,
          maxBuffer: 2 ** 26,
        });
        row({ tool, ok: true });
      } catch (error) {
        const { status, stdout = '' } = error as { status: number | null; stdout?: string };
        row({ tool, ok: false, status, text: stdout.slice(0, 2000) });
        wrong.push(tool);
      }
    }
    if (wrong.length > 0) throw new Error(wrong.join(', '));
  },
};
