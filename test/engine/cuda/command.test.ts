import { writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FitPlan } from '../../../main/lab/fit/index.ts';
import { formatMemory } from '../../../preload/shared/format.ts';
import { json, removeHome, start, temporaryHome } from '../../cli/cli.ts';
import { inside, jsonInside } from '../../cli/inside.ts';
import { buildCublas, buildEmulator, whyNoEmulator } from './emulator/build.ts';

const why = whyNoEmulator();
const homes: string[] = [];
const newHome = (): string => {
  homes.push(temporaryHome());
  return homes.at(-1)!;
};

interface RunShape {
  readonly id: string;
  readonly state: string;
  readonly steps: number;
  readonly reason: string;
  readonly summary: Readonly<Record<string, number>>;
  readonly environment: Readonly<Record<string, unknown>>;
}

/** What the driver's tool answers, for the fields that it is asked. */
const SMI = `#!/bin/sh
for argument; do case $argument in --query-gpu=*) fields=\${argument#*=};; esac; done
IFS=,
for field in $fields; do
  case $field in
    index) value=0;; name) value='Emulated GPU';; memory.total | memory.free) value=8192;; memory.used) value=0;;
    driver_version) value=580.65;; compute_cap) value=9.0;; *) value='[N/A]';;
  esac
  line="$line\${line:+, }$value"
done
echo "$line"
`;

describe.skipIf(why !== undefined)(`sweeplab train --device cuda${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  const env: Record<string, string> = {};
  let cublas = '';
  beforeAll(async () => {
    const { driver, kernels } = await buildEmulator();
    cublas = await buildCublas();
    const tools = newHome();
    writeFileSync(join(tools, 'nvidia-smi'), SMI, { mode: 0o755 });
    const path = `${tools}${delimiter}${process.env.PATH ?? ''}`;
    // The driver is searched for as a user's is, and found in the folder that is named.
    Object.assign(env, {
      PATH: path,
      SWEEPLAB_CUDA_LIBRARIES: dirname(driver),
      EMU_KERNELS: kernels,
      EMU_PACE: '1000',
    });
  }, 300_000);
  afterAll(() => homes.forEach(removeHome));

  const SMALL = {
    'model.depth': 1,
    'model.width': 16,
    'model.heads': 2,
    'model.context': 16,
    'batch.sequences': 2,
    'data.size': 20_000,
    'eval.tokens': 32,
    'eval.every_steps': 4,
  };
  const small = (steps: number): string[] => [
    'train',
    '--recipe',
    'quick',
    '--device',
    'cuda',
    ...Object.entries({ ...SMALL, 'stop.steps': steps }).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];

  // Would catch an executor that is not found, chosen, planned or run as any other.
  test('trains, killed and resumed, as a run that nobody disturbed', { timeout: 120_000 }, async () => {
    const whole = await inside(newHome(), [...small(12), '--json'], { env });
    expect(whole.stderr).toMatch(/device {2}cuda: Emulated GPU/u);
    expect([whole.code, whole.stdout]).toMatchObject([0, expect.stringContaining('finished')]);
    // Would catch a run that takes more than it says: what the card rounds up to, tables, workspaces of the library.
    const { plan } = await jsonInside<{ plan: FitPlan }>(newHome(), ['fit', ...small(12).slice(1)], { env });
    expect(whole.stderr).toContain(`memory  ${formatMemory(plan.totalBytes).replace(/\s/u, ' ')} (`);
    const { summary, environment } = JSON.parse(whole.stdout) as RunShape;
    // It lies beside the driver.
    expect(environment['products']).toBe(`cuBLASLt 13.0.0 (${cublas})`);

    const home = newHome();
    const running = start(home, small(12), { env });
    await running.until(/step +4 .*val\/loss/u);
    running.child.kill('SIGKILL');
    await running.done;
    const [run] = await jsonInside<RunShape[]>(home, ['runs', 'ls'], { env });
    const resumed = await jsonInside<RunShape>(home, ['train', '--resume', run!.id], { env });
    expect(resumed).toMatchObject({ state: 'finished', steps: 12 });
    for (const metric of ['train/loss', 'val/loss', 'grad/norm', 'tokens'])
      expect(resumed.summary[metric], metric).toBe(summary[metric]);
  });

  test('multiplies on its own kernels where cuBLASLt is switched off', { timeout: 60_000 }, async () => {
    const run = await jsonInside<RunShape>(newHome(), small(1), { env: { ...env, SWEEPLAB_CUBLASLT: 'off' } });
    expect(run.environment['products']).toBe('own kernels');
  });

  // Would catch a default that trains nowhere: small containers have the library alone, and many machines an old card for the display.
  test(
    'is found by auto with the driver alone, and beside a card that cannot be used',
    { timeout: 60_000 },
    async () => {
      const auto = small(1).map((word) => (word === 'cuda' ? 'auto' : word));
      const alone = { ...env, PATH: '/nowhere' };
      const { stdout } = await inside(newHome(), ['fit', ...auto.slice(1)], { env: alone });
      expect(stdout).toContain('all of its memory is taken as free');
      // In a process of its own: the driver counts its cards once.
      const unlike = { env: { ...alone, EMU_DEVICES: '2', EMU_CAPABILITY: '61,90' } };
      const run = await json<RunShape>(newHome(), auto, unlike);
      expect(run.environment).toMatchObject({ executor: 'cuda', card: 'cuda:1' });
    },
  );

  test('says why a card cannot be used', async () => {
    const outcome = await inside(newHome(), small(1), { env: { ...env, SWEEPLAB_CUDA_LIBRARIES: '/nowhere' } });
    expect(outcome.code).not.toBe(0);
    expect(outcome.stdout + outcome.stderr).toMatch(/device is cuda, which cannot be used here: cuda: /u);
  });
});
